"""README and docs: the tests they name are there, their code prints what is shown, their commands are accepted."""

from __future__ import annotations

import itertools
import re
import runpy
import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from worldschool.config import Config, load_config
from worldschool.experience.examples import ExamplesConfig
from worldschool.experience.runner import CollectConfig
from worldschool.learners.finetune import FinetuneConfig
from worldschool.probes.config import ProbeConfig
from worldschool.recipes.loop import LoopConfig

ROOT = Path(__file__).parents[2]
PAGES = {
    path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))
}
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
"""Code, and what is shown behind it."""
LEFT_OUT = {
    ("collecting.md", 1): "reads the dataset that the page's commands make",
    ("learners.md", 1): "trains a model",
    ("learners.md", 2): "goes on from the first",
    ("models.md", 1): "loads a model",
    ("models.md", 2): "goes on from the first",
    ("probes.md", 1): "asks a model",
    ("shop.md", 2): "reads WebShop's files",
    ("shop.md", 4): "makes a catalogue of 100,000 products",
    ("shop.md", 5): "needs a browser",
}
"""Blocks that are not run: page, and which of its blocks."""
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""Language, and what stands in it."""
KINDS: dict[str, type[Config]] = {
    "loop": LoopConfig,
    "collect": CollectConfig,
    "examples": ExamplesConfig,
    "finetune": FinetuneConfig,
    "probe": ProbeConfig,
}


def named_in(cell: str) -> Iterator[tuple[str, str | None]]:
    """Yield every file that a cell of the table names, and the test in it; a test alone is of each file before it."""
    files: list[str] = []
    for named in re.findall(r"`([^`]+)`", cell):
        found = re.fullmatch(r"([\w/]+\.py)?(?:::)?(test_\w+)?", named)
        assert found, named
        file, test = found.groups()
        if file:
            files = [file] if test else [*files, file]
        yield from ((one, test) for one in files)


def test_every_test_that_holds_a_promise_is_there() -> None:
    _, _, promises = PAGES["architecture.md"].partition("\n## Promises")
    rows = [row for row in promises.partition("\n## ")[0].splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 30
    for row in rows:
        named = list(named_in(row.split(" | ")[-1]))
        assert named, row
        for file, test in named:
            (path,) = ROOT.glob(file) if "/" in file else ROOT.glob(f"tests/**/{file}")
            assert test is None or f"def {test}(" in path.read_text(encoding="utf-8"), f"{file}::{test}"


def test_blocks_that_are_not_run_are_there() -> None:
    counted = {page: len(BLOCK.findall(text)) for page, text in PAGES.items()}
    assert all(number <= counted[page] for page, number in LEFT_OUT)


@pytest.mark.parametrize("page", sorted(page for page, text in PAGES.items() if BLOCK.search(text)))
def test_code_prints_what_is_shown(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}  # the blocks of a page go on from one another
    for number, (code, shown) in enumerate(BLOCK.findall(PAGES[page]), 1):
        if (page, number) not in LEFT_OUT:
            block = tmp_path / f"block{number}.py"
            block.write_text(code, encoding="utf-8")
            names = runpy.run_path(str(block), init_globals=names)
            printed = capsys.readouterr().out
            assert printed == shown or not shown


def commands(page: str) -> Iterator[tuple[list[str], str, Config]]:
    """Yield the words of every command of a page that reads a preset, its --out, and the configuration."""
    for block in (text for language, text in FENCED.findall(PAGES[page]) if language in ("", "sh")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            words = words[words.index("worldschool.cli") :] if "worldschool.cli" in words else words
            if len(words) > 2 and words[0].startswith("worldschool") and words[2].startswith("configs/"):
                options = defaultdict(list)
                for option, value in itertools.pairwise(words):
                    options[option].append(value)
                config = load_config(KINDS[words[1]], ROOT / words[2], options["--set"])
                yield words, (options["--out"] or [""])[0], config


def test_no_output_belongs_to_two_configurations() -> None:
    made: dict[str, tuple[str, str, str]] = {}
    for page in PAGES:
        for words, out, config in commands(page):
            if out:
                whose = (words[1], config.model_dump_json(), " ".join(words))
                assert made.setdefault(out, whose)[:2] == whose[:2], f"{page}: {whose[2]}\n{made[out][2]}"
    assert len(made) > 40


def test_what_a_command_reads_is_made_by_another() -> None:
    made = {out for page in PAGES for _, out, _ in commands(page)}
    for page in PAGES:
        for words, _, config in commands(page):
            given = config.model_dump()
            read = [*given.get("datasets", ()), *given.get("adapters", {}).values()]
            for key in ("examples", "shots"):
                value = given.get(key) or ()
                read += [value] if isinstance(value, str) else value
            missing = {one for one in read if one.startswith("data/")} - made
            assert not missing, f"{page}: {' '.join(words)}"
