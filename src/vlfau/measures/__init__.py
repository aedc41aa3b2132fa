"""Distances, angles, areas and folds of a face that a person can check on the picture."""
