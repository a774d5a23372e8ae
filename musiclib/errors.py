"""The one exception that means "your input is at fault": its message is a sentence for people."""


class InputError(ValueError):
    """Says what was wrong, where (file or value) and what to do about it."""
