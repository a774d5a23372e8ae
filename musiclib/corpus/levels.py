"""The names of a corpus's sets: levels from easy to hard, the main corpus, what is held out."""

LEVEL_NAMES = ("1-very-easy", "2-easy", "3-medium", "4-hard")  # of pieces that come without levels
MAIN, HELD_OUT = "main", "held-out"
