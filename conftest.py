"""Leaves out the doctests of parts whose extras are not installed."""

from importlib.util import find_spec

OPTIONAL = {"gradio": "src/vlfau/app/*", "ray": "src/vlfau/batch/*"}
collect_ignore_glob = [pattern for package, pattern in OPTIONAL.items() if find_spec(package) is None]
