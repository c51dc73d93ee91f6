"""What worldschool takes: downloads, disk of the environment, the models and a quickstart, and the time of `--help`.

python -m benchmarks.footprint --school school
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.models.pull import PULLABLE, models_cache

MEGABYTE = 1e6


def main() -> None:
    """Measure sizes and start-up."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--school", type=Path, help="a quickstart's output, if its size is wanted")
    options = parser.parse_args()
    runs = 3 if options.quick else 11
    figures = {
        "environment on disk": Figure(_size(Path(sys.prefix)), "MB", False),
        "of this, torch": Figure(_size_of_package("torch"), "MB", False),
    }
    for model in sorted(path for path in models_cache().glob("*") if path.is_dir()):
        figures[f"{model.name} on disk"] = Figure(_size(model), "MB", False)
    for pullable in PULLABLE.values():
        figures[f"download of {pullable.name}"] = Figure(pullable.wheel.size / MEGABYTE, "MB", False)
    if options.school is not None:
        figures["quickstart's output on disk"] = Figure(_size(options.school), "MB", False)
    bare, helped = _alternate(
        [sys.executable, "-c", "pass"], [sys.executable, "-m", "worldschool.cli", "--help"], runs
    )
    figures["worldschool --help"] = Figure(helped, "s", False, Peer("python -c pass", bare))
    report(figures, options.seed, options.json)


def _size(folder: Path) -> float:
    files = {(path.stat().st_ino, path.stat().st_size) for path in folder.rglob("*") if path.is_file()}
    return sum(size for _, size in files) / MEGABYTE


def _size_of_package(name: str) -> float:
    found = [Path(entry) / name for entry in sys.path if (Path(entry) / name).is_dir()]
    return _size(found[0]) if found else 0.0


def _alternate(one: list[str], other: list[str], runs: int) -> tuple[float, float]:
    """Return the medians of two commands' seconds, run in turns."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for taken, command in zip(seconds, (one, other), strict=True):
            began = time.monotonic()
            subprocess.run(command, capture_output=True, check=True)
            taken.append(time.monotonic() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


if __name__ == "__main__":
    main()
