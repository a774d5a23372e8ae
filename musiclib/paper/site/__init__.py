"""The paper as a static site: pages that open from a file, offline, in light and dark.

`build` makes all of it from what was run; `pages` is a page for one notebook, `first_page` the one
that begins; `check` finds links that lead nowhere.
"""
