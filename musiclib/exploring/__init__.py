"""Composing to listen to: one piece as wished, judged beside real music, from a form or Python.

`shipped` has the weights and pieces that come with the package.
"""
