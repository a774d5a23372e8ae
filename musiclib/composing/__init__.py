"""How networks compose (2.4): `compose.compose` many pieces at once, `folders` to MIDI files.

`room` says how many fit into memory.
"""
