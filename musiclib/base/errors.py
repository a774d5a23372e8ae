"""The one exception that means "your input is at fault": its message is a sentence for people."""

NO_SPACE = "no space left on the disk{}; free some and run it again: what was there before is whole"

NO_MEMORY = "no memory left: end what else runs here, or ask for less at once"


class InputError(ValueError):
    """Says what was wrong, where (file or value) and what to do about it."""

    def _render_traceback_(self) -> list[str]:
        """Notebooks show the sentence alone."""
        return [f"musiclib: {self}"]
