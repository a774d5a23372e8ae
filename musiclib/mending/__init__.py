"""What the RBM is for (2.4.3): `windowed` as published, `mend` as the paper wished it.

`ways` give chances, `mend` chooses notes by them, `folders` mends MIDI files; `partition`
estimates the RBM's likelihood.
"""
