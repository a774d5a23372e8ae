"""Music to hear and see: piano sound of notes, and players with a moving piano roll.

`sound` renders note states and MIDI files with one of the `voices`: the piano that `sound_font`
reads, or sine waves; `encoding` makes MP3 of it; `player` shows and plays music on a `roll`.
"""
