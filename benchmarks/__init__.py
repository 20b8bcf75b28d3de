"""Ratios of times measured side by side in one process: `python -m benchmarks`."""
