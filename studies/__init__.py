"""Studies of quality that anyone can repeat: `python -m studies`."""
