"""A folder of music whose files are left out for every reason, and the files of each."""

import numpy as np
from strategies import hand_states, random_states, scale_piece
from test_note_states import metre, off, on, saved

from musiclib.music.midi_events import MAX_BYTES
from musiclib.music.note_states import write_note_states

REASONS = {
    "used": {*(f"main/{n}.mid" for n in (*range(5), "in D", "cut", "some")), "held-out/bach.mid"},
    "metre": {"main/waltz.mid"},
    "too short": {"main/short.mid"},
    "out of range": {"main/high.mid"},
    "without notes": {"main/silent.mid"},
    "duplicate": {"main/copy.mid"},
    "shared with held-out": {"main/leak.mid"},
    "too large": {"main/long.mid", "main/bytes.mid"},
    "unreadable": {"main/broken.mid"},
}


def quarters(pitches):
    """Messages of a note a quarter (480 ticks, four steps) long after the other."""
    return [message for pitch in pitches for message in (on(0, int(pitch)), off(480, int(pitch)))]


def write_every_reason(folder):
    """Write a file, or two, of each kind of reason."""
    rng = np.random.default_rng(0)
    for name in ("main", "held-out"):
        (folder / name).mkdir()
    bach = random_states(140, 30, low=20, high=60)
    music = {f"main/{n}.mid": random_states(130 + n, n, low=20, high=60) for n in range(5)}
    music |= {"main/in D.mid": scale_piece(62), "held-out/bach.mid": bach}
    music |= {"main/leak.mid": np.roll(bach, 3, axis=1), "main/short.mid": random_states(127, 9)}
    music |= {"main/silent.mid": hand_states(200), "main/copy.mid": music["main/0.mid"]}
    for name, states in music.items():
        write_note_states(states, folder / name)
    waltz = [metre(0, 3)], quarters(rng.integers(60, 80, 60))
    cut = [metre(0, 4), metre(40 * 480, 3)], quarters(rng.integers(60, 80, 60))
    some_high = [metre(0, 4)], quarters([*rng.integers(60, 80, 40), 102, 110, 127])
    all_high = [metre(0, 4)], quarters([110] * 40)
    for name, tracks in {"waltz": waltz, "cut": cut, "some": some_high, "high": all_high}.items():
        saved(folder / f"main/{name}.mid", *tracks)
    saved(folder / "main/long.mid", [*quarters([60]), on(120 * 300_000, 60)])
    (folder / "main/broken.mid").write_bytes(b"<html>404</html>")
    with (folder / "main/bytes.mid").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # no byte of it is on the disk
