"""A package by name, because a dependency installs a stray `tests` of its own that would win
otherwise.
"""
