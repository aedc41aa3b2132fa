"""Repeatable benchmarks of speed and memory: `python -m benchmarks`."""
