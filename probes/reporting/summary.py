"""A report's sentences: what was gained and lost, what stays of it, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping

from worldschool.probes.reporting.facts import ESTABLISHED, Change, Reading, change_text, ends, listed

NAMED = 3
"""Suites named in a sentence; the table has them all."""


def opening(reading: Reading) -> str:
    """The summary's first sentences: what was asked of whom, and how to read the numbers."""
    if not reading.suites:
        return "No suite of questions was scored."
    questions = sum(int(suite.get("n") or 0) for suite in reading.suites.values())
    asked = f"{_counted(questions, 'question')} in {_counted(len(reading.suites), 'suite')}"
    if len(reading.models) == 1:
        return (
            f"One model, {reading.models[0]}, answered {asked}. Scores run from 0 to 1, higher being better."
        )
    words = f"{len(reading.models)} contenders ({'; '.join(reading.models)}) answered the same {asked}."
    words += " Scores run from 0 to 1, higher being better."
    perplexity = ""
    if reading.retention:
        perplexity = " What it cost is read from perplexity: how surprised a model is by ordinary text, lower being better."
    if reading.learners and len(reading.bases) > 1:
        words += (
            " What was learned is measured against the untrained model, with or without worked examples in its "
            "prompt, whichever does better on the suite."
        )
    return (
        f"{words} The brackets after a difference hold its 95% interval: how far the choice of questions alone could "
        "have moved it. Where the interval includes zero, no change is established." + perplexity
    )


def summary_of(reading: Reading, model: str) -> str:
    """What `model` gained, what it did not, and what that cost in ordinary language. Begins with a verb."""
    changes = {s: c for s in reading.suites if (c := reading.change(s, model)) is not None}
    if not changes:
        return f"was not compared with an untrained model. {_cost(reading, model)}"
    total = _counted(len(changes), "suite")
    up, down, none, untested = (
        {s: c for s, c in changes.items() if c.direction == way} for way in ("up", "down", "none", "untested")
    )
    if up:
        parts = [f"scores higher than the untrained model on {len(up)} of {total}: {_named(reading, up)}."]
    else:
        parts = [f"is not shown to score higher than the untrained model on any of {total}."]
    if none:
        parts.append(f"No change is established on {len(none)}: {_named(reading, none)}.")
    if down:
        parts.append(f"It scores lower on {len(down)}: {_named(reading, down)}.")
    if untested:
        parts.append(f"Untested differences, which establish nothing: {_named(reading, untested)}.")
    return " ".join(
        part
        for part in (
            *parts,
            _corrected(reading, {**up, **down}),
            _against_shortcuts(reading, model),
            *(_against_control(reading, model, control) for control in reading.controls),
            _cost(reading, model),
        )
        if part
    )


def control_of(reading: Reading, control: str) -> str:
    """What a control is there for, and what it gained. Begins with a verb."""
    changes = {s: c for s in reading.suites if (c := reading.change(s, control)) is not None}
    up = {s: c for s, c in changes.items() if c.direction == "up"}
    kind = reading.controls[control].replace("_", " ")
    found = f"It scores higher than the untrained model on {len(up)} of {_counted(len(changes), 'suite')}"
    what = (
        f"is a control ({kind}): it was trained on stories with the answers of other stories, so it could learn what "
        "answers look like, and nothing about what happens."
        if kind == "permuted answers"
        else f"is a control ({kind})."
    )
    return f"{what} {found}{f': {_named(reading, up)}' if up else ''}."


def _corrected(reading: Reading, changes: Mapping[str, Change]) -> str:
    """Which of the differences stay established when all comparisons are looked at together."""
    if not changes or reading.corrected_for < 2:
        return ""
    stay = {suite: change for suite, change in changes.items() if change.stays}
    words = f"After Holm's correction for all {reading.corrected_for} comparisons (p below {ESTABLISHED:g})"
    if len(stay) == len(changes):
        those = (
            "this difference stays" if len(changes) == 1 else f"all {len(changes)} of these differences stay"
        )
        return f"{words} {those} established."
    if not stay:
        return f"{words} none of these differences stays established."
    verb = "stays" if len(stay) == 1 else "stay"
    return f"{words} {len(stay)} of these {len(changes)} differences {verb} established: {_titles(reading, stay)}."


def _against_control(reading: Reading, model: str, control: str) -> str:
    """On how many suites it is ahead of a control: what it has learned beyond what answers look like."""
    tested = [
        change for suite in reading.suites if (change := reading.between(suite, model, control)) is not None
    ]
    if not tested:
        return ""
    ahead = sum(change.direction == "up" for change in tested)
    return f"It is ahead of the control {control} on {ahead} of {_counted(len(tested), 'suite')}."


def _titles(reading: Reading, suites: Mapping[str, Change]) -> str:
    return listed(reading.title_of(suite) for suite in suites)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _named(reading: Reading, changes: Mapping[str, Change]) -> str:
    """The largest changes by name, and how many more there are."""
    ordered = sorted(changes.items(), key=lambda pair: -abs(pair[1].value))
    names = [f"{reading.title_of(suite)} ({change_text(c)})" for suite, c in ordered[:NAMED]]
    more = len(ordered) - len(names)
    return listed([*names, f"{more} more"] if more else names)


def _against_shortcuts(reading: Reading, model: str) -> str:
    """On how many suites the whole interval of the score is above the best shortcut; the others are not evidence."""
    known, above = 0, 0
    for suite in reading.suites:
        best, row = reading.best_shortcut(suite), reading.score(suite, model)
        if best is not None and row is not None:
            low, _ = ends(row)
            known, above = known + 1, above + (low is not None and low > best[1])
    if not known:
        return ""
    return (
        f"Its score is clearly above the best rule of thumb on {above} of the {known} that have one measured."
    )


def _cost(reading: Reading, model: str) -> str:
    phrases = []
    for text, row in reading.retention.items():
        change = reading.perplexity_change(text, model)
        if change is not None:
            verb = {"up": "rises", "down": "falls", "none": "shows no established change"}.get(
                change.direction, "differs, untested"
            )
            phrases.append(f"on {row.get('title') or text} {verb} ({change_text(change, percent=True)})")
    if not phrases:
        return "What it cost in ordinary language was not measured."
    return f"Its perplexity {listed(phrases)}."
