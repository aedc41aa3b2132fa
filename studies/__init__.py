"""Repeatable studies of quality: `python -m studies`."""
