"""Making ready what composing needs while someone still looks at the form.

The first piece would else wait for torch to be imported, loops to be compiled, and the corpus.
"""

from collections.abc import Callable, Iterator


def warm(say: Callable[..., None], enough: Callable[[], bool]) -> None:
    """Do all that composing does, once, on two bars; `say` tells of it.

    Ends between two steps once `enough()`: who composes then does the rest. What fails here would
    fail there too, and is told there.
    """
    try:
        for doing in steps():
            if enough():
                return
            say(f"getting ready: {doing}")
    except Exception:
        doing = ""
    if not enough():
        say("ready")


def steps() -> Iterator[str]:
    """What is made ready, each told before it is."""
    yield "loading"
    from musiclib.exploring import shipped
    from musiclib.exploring.take import take
    from musiclib.exploring.wish import Wish, compose_wish

    yield "compiling"
    piece = compose_wish(Wish(bars=2, mend="conditional-rbm"), lambda *_done: None)
    yield "reading the chorales"
    take(piece, shipped.chorales())
