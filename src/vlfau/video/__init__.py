"""Videos: faces tracked and scored frame by frame, and their action units over time."""
