"""Frames with labels on their way into training; files, labels and folds need no extra."""
