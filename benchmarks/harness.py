"""What every benchmark prints and writes."""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from worldschool.files import write_json
from worldschool.runs import package_versions, source_commit


@dataclass(frozen=True)
class Peer:
    """What a figure is compared with, measured in the same run."""

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    value: float
    unit: str
    higher_is_better: bool
    peer: Peer | None = None


def arguments(description: str) -> argparse.ArgumentParser:
    """Return the parser that every benchmark extends."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def machine() -> dict[str, Any]:
    """Describe this machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "versions": package_versions(),
    }


def report(figures: dict[str, Figure], seed: int, out: Path | None) -> None:
    """Print the figures as a table and write them as JSON if asked to."""
    width = max(len(name) for name in figures)
    for name, figure in figures.items():
        against = f"   {figure.peer.name}: {figure.peer.value:.4g}" if figure.peer else ""
        print(f"{name:<{width}}  {figure.value:>12.4g} {figure.unit}{against}")
    if out is not None:
        rows = {name: asdict(figure) for name, figure in figures.items()}
        write_json(out, {"machine": machine(), "commit": source_commit(), "seed": seed, "figures": rows})
