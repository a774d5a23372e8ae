"""The published numbers that ours are set beside; the file says where they come from."""

import json
from functools import cache
from importlib.resources import files


@cache
def published() -> dict:
    """Table 1, section 3.1 and Figures 3 and 4 as published."""
    return json.loads(files("musiclib.paper").joinpath("published.json").read_text())
