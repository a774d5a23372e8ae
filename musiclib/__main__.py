"""The command line, which can be stopped while it is being imported, too."""

import os
import sys

from musiclib.base.stopping import deaf, stopping_at_once


def run() -> None:
    """Run the command of this process's arguments."""
    with stopping_at_once("nothing was begun"):
        from musiclib.cli import main
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        sys.exit("musiclib: the folder that this runs in is gone: go to another one")
    try:
        main()
    finally:
        deaf()


if __name__ == "__main__":
    run()
