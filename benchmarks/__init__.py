"""Measurements of Spusk, and side-by-side comparisons with peers: `python -m benchmarks NAME`."""
