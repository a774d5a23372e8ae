"""Music as arrays: files to note states and piano rolls and back, and what is done to them (2.2).

`note_states`, `piano_roll` and `music21_scores` read, `representations` names the two kinds;
`bar_grid`, `bars`, `notes`, `keys` and `cadences` look into music; `transforms` and `corrupted`
change it; `packed` keeps it small; `seconds` says when notes of files are heard, `left_out` what
of files is not used.
"""

from musiclib.music.keys import estimate_key, normalise_key
from musiclib.music.midi_folder import midi_files, read_folder
from musiclib.music.note_states import read_note_states, write_note_states
from musiclib.music.piano_roll import read_piano_roll, write_piano_roll
from musiclib.music.transforms import legal, reverse_time, shift
