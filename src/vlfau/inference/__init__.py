"""Prediction without torch: bundles, runtimes, the predictor and its results."""
