"""Whether pieces fit into memory, before any is composed."""

from musiclib.base.errors import InputError
from musiclib.base.memory import free_bytes, size
from musiclib.base.typed import shown
from musiclib.composing.compose import PIECES_AT_ONCE
from musiclib.music.note_states import NOTES

A_STEP = NOTES * 2  # bytes of a step as it is composed
KEPT = 5  # times those of every piece: composed, put together, finished, and as it is written
AT_WORK = 12  # times those of the pieces that are composed at once: chance as float32, and drawn


def must_have_room(pieces: int, bars: int, steps: int) -> None:
    """Raise InputError unless so many pieces, of so many bars and steps, fit into free memory."""
    if type(pieces) is not int or pieces < 1:
        raise InputError(f"{shown(pieces)} pieces: ask for at least one, a whole number")
    free = free_bytes()
    most = _most(free, steps)
    if pieces > most:
        wanted = f"{pieces:,}" if pieces < 1e15 else "so many"
        raise InputError(
            f"{wanted} pieces of {bars:,} bars: {most:,} fit into the {size(free)} of memory that"
            " are free; ask for fewer or shorter ones, several times"
        )


def _most(free: int, steps: int) -> int:
    """How many pieces of so many steps fit; none where not even one does."""
    units = free // (A_STEP * steps)
    at_once = (KEPT + AT_WORK) * PIECES_AT_ONCE
    if units < at_once:
        return units // (KEPT + AT_WORK)
    return PIECES_AT_ONCE + (units - at_once) // KEPT
