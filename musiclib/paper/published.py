"""The published numbers that ours are set beside; the file says where they come from."""

import json
from functools import cache
from importlib.resources import files

import pandas as pd

LOGS = ("normalised", "not normalised")  # the authors' runs of which we have losses


@cache
def published() -> dict:
    """Table 1, section 3.1, Figures 3 and 4 as published, and the authors' training logs."""
    return json.loads(files("musiclib.paper").joinpath("published.json").read_text())


def logged() -> pd.DataFrame:
    """The authors' logged losses of the biaxial RNN: columns run (of `LOGS`), at, loss.

    `at` is what their counter says, of 10,000; losses are nats of single batches trained on.
    """
    logs = published()["logs"]
    named = {"iterations": "at"}
    tables = [pd.DataFrame(logs[run]).rename(columns=named).assign(run=run) for run in LOGS]
    return pd.concat(tables, ignore_index=True)[["run", "at", "loss"]]
