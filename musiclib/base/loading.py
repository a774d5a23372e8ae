"""Torch, which takes seconds to load: import this first, and people see what they wait for."""

from musiclib.base.progress import waiting

with waiting("loading torch", logged=False):
    import torch  # noqa: F401 (whoever comes later finds it loaded)
