from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from worldschool import progress as module
from worldschool.progress import Log, clock, progress


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says; change its one element to let time pass."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def told(capsys: Any) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    lines: list[str] = captured.err.splitlines()
    return lines


def test_the_rate_counts_from_the_first_thing_done(seconds: list[float], capsys: Any) -> None:
    with progress("work", 100, "things", done=10) as advance:
        seconds[0] += 50.0  # workers start
        advance(1)
        seconds[0] += 10.0
        advance(20, "so far so good")
        seconds[0] += 1.0
        advance(2)
        seconds[0] += 34.0
        advance(67)
    assert told(capsys) == [
        "work: 11/100 things",
        "work: 31/100 things, 2/s, 34 s left so far so good",
        "work: 100/100 things, 1.98/s, 0 s left",
    ]


def test_a_time_budget_bounds_what_remains(seconds: list[float], capsys: Any) -> None:
    for total, expected in ((1000, "5/1000 things, 0.2/s, 40 s left"), (None, "5 things, 0.2/s, 40 s left")):
        with progress("work", total, "things", budget_s=60.0) as advance:
            advance(1)
            seconds[0] += 20.0
            advance(4)
        assert told(capsys)[-1] == f"work: {expected}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (187, "3:07"), (3600, "1:00:00"), (7505, "2:05:05")],
)
def test_durations_read_well(value: float, shown: str) -> None:
    assert clock(value) == shown


def test_the_bar_shows_share_rate_and_note(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    with progress("work", None, "things") as advance:
        for _ in range(3):
            advance(1, "all well")
    shown = capsys.readouterr().err
    assert "3 things" in shown and "all well" in shown and "/s" in shown


def test_a_log_has_one_dated_line_a_call(tmp_path: Path) -> None:
    log = Log(tmp_path / "run.log")
    log("begins")
    log("told\nin two lines \ud800")
    lines = (tmp_path / "run.log").read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ begins", lines[0])
    assert lines[1].endswith(r"told in two lines \ud800") and len(lines) == 2


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    Log(tmp_path / "missing" / "run.log")("begins")
