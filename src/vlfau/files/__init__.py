"""Atomic files and folders, locks, settings that must stay the same, records, and worker processes."""
