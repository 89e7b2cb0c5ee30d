"""Timings and figures, each script by itself: `python -m benchmarks.NAME --help` says what it measures."""
