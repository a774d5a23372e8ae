"""Making ready what composing needs while someone still looks at the form.

The first piece would else wait for torch to be imported, loops to be compiled, and the corpus.
"""

from collections.abc import Iterator


def steps() -> Iterator[str]:
    """All that composing does, done once on two bars; each step is told before it is done."""
    yield "loading"
    from musiclib.exploring import shipped, take
    from musiclib.exploring.wish import Wish, compose_wish

    yield "compiling"
    piece = compose_wish(Wish(bars=2, mend="conditional-rbm"))
    yield "the piano"
    take.heard(piece)
    yield "reading the chorales"
    take.beside(piece, shipped.chorales())
