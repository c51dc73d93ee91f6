"""One file per figure in the README: `python -m benchmarks.NAME [--quick] [--json OUT]`."""
