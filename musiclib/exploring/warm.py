"""Making ready what composing needs while someone still looks at the form.

The first piece would else wait for torch to be imported and loops to be compiled. What it is judged
by is read later: it is shown below what can be heard by then.
"""

from collections.abc import Iterator


def steps() -> Iterator[str]:
    """What composing does, done once on two bars; each step is told before it is done."""
    yield "loading"
    from musiclib.exploring import take
    from musiclib.exploring.wish import Wish, compose_wish

    yield "compiling"
    piece = compose_wish(Wish(bars=2, mend="conditional-rbm"))
    yield "the piano"
    take.heard(piece)
