"""The command line, which can be stopped while it is being imported, too."""

from musiclib.base.stopping import deaf, stopping_at_once


def run() -> None:
    """Run the command of this process's arguments."""
    with stopping_at_once("nothing was begun"):
        from musiclib.cli import main
    try:
        main()
    finally:
        deaf()


if __name__ == "__main__":
    run()
