"""Videos: read, followed and judged frame by frame, and what comes of the results over time."""
