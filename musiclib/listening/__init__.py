"""Music to hear and see: piano sound of notes, and players with a moving piano roll.

`sound` renders note states, `sound_font` has the piano's samples, `player` shows and plays them.
"""
