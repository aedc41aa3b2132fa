"""Hypothesis without a deadline: the first example of a run reads the description files."""

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
