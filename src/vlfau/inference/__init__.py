"""The light half's heart: bundles, their runtime, the predictor, its results and their files."""
