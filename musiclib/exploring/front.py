"""Whether someone sits at a front end that shows widgets, or the cell is only run and exported."""

import os
import sys

SESSION = "JPY_SESSION_NAME"  # set by the server of JupyterLab and Notebook for its kernels
VSCODE = "__vsc_ipynb_file__"  # a variable that Visual Studio Code sets in its kernels


def is_live() -> bool:
    """Whether widgets are seen: not under papermill, nbconvert, nbval or a plain Python.

    Those show a widget as nothing at all: what they run needs something static.
    """
    if os.environ.get("MUSICLIB_LOG") or "ipykernel" not in sys.modules:
        return False
    return SESSION in os.environ or _in_vscode()


def _in_vscode() -> bool:
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and VSCODE in shell.user_ns
