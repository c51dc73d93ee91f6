"""Suites as tasks of lm-evaluation-harness (Gao et al., https://github.com/EleutherAI/lm-evaluation-harness).

A suite becomes NAME.yaml and NAME.jsonl: the same items in the same order, with the prompts that the models were asked. The
task files name fields of the data and hold no templates, so nothing in a story is ever read as one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from worldschool.files import write_atomic
from worldschool.probes.asked import Asked
from worldschool.probes.config import ProbeConfig, SuiteSettings
from worldschool.probes.suites import with_shots
from worldschool.records import Example

PREFIX = "worldschool"
CHOICE_METRICS = ("acc", "acc_norm", "acc_bytes")
README = """# worldschool's suites as tasks of lm-evaluation-harness

Run this in here, for the data files are named from here:

    lm_eval --model hf --model_args pretrained=MODEL,dtype=float32 --include_path . --tasks {tag} \\
        --num_fewshot 0 --log_samples --output_path results

| task | items | kind |
|---|---|---|
{rows}

| the harness's | is worldschool's |
|---|---|
| `acc` | `by_normalization.sum` of results.json |
| `acc_bytes` | `by_normalization.bytes` |
| `acc_norm` | the same, where every letter of an option is one byte |
| `exact_match` | `exact` of suites that are scored by the answer itself |

Both tools take the first of equally good options. "tokens" and "unconditional" have no counterpart in the harness: it knows
no tokens, and its `acc_mutual_info` scores options after nothing, where worldschool has a neutral context. Prompts are asked
as they are: no chat template, no description, no shots of the harness's own. The harness cuts the left of what does not fit a
model's context; worldschool leaves such items out and counts them. Generated answers end at the first line's end; worldschool
passes over empty lines before it.
"""


def write_tasks(asked: Asked, config: ProbeConfig, out: Path) -> dict[str, int]:
    """Write every suite as a task, and README.md, which says how to run them and what is comparable.

    Returns:
        Task name to number of items.
    """
    tasks: dict[str, int] = {}
    rows = []
    for suite, items in asked.items.items():
        variants = {_task_name(suite): [item.prompt for item in items]}
        if asked.shots.get(suite):
            name = _task_name(f"{suite}_{config.shot_count}shot")
            variants[name] = _behind_shots(items, asked.shots[suite])
        for name, prompts in variants.items():
            _write_task(out, name, items, prompts, asked.settings[suite])
            tasks[name] = len(items)
            rows.append(f"| `{name}` | {len(items)} | {_kind(items)} |")
    write_atomic(out / "README.md", README.format(tag=PREFIX, rows="\n".join(rows)))
    return tasks


def _task_name(suite: str) -> str:
    return f"{PREFIX}_{re.sub(r'[^A-Za-z0-9]+', '_', suite)}"


def _behind_shots(items: Sequence[Example], shots: Sequence[Sequence[Example]]) -> list[str]:
    """Return the prompts as `ask` makes them: item i behind the list i modulo their number."""
    return [with_shots(item, shots[at % len(shots)]) for at, item in enumerate(items)]


def _kind(items: Sequence[Example]) -> str:
    return "generate_until" if items[0].options is None else "multiple_choice"


def _write_task(
    out: Path, name: str, items: Sequence[Example], prompts: Sequence[str], settings: SuiteSettings
) -> None:
    lines = []
    for item, prompt in zip(items, prompts, strict=True):
        row: dict[str, Any] = {"item_id": item.example_id, "prompt": prompt, "answer": item.answer}
        if item.options is not None:
            row |= {"options": list(item.options), "answer_index": item.options.index(item.answer)}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    write_atomic(out / f"{name}.jsonl", "".join(lines))
    task = {
        "task": name,
        "tag": PREFIX,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": f"{name}.jsonl"}},
        "test_split": "test",
        "num_fewshot": 0,
        "doc_to_text": "prompt",
        "target_delimiter": " ",
        **(_choice() if items[0].options is not None else _generation(settings)),
        "metadata": {"version": 1},
    }
    write_atomic(out / f"{name}.yaml", yaml.safe_dump(task, sort_keys=False, allow_unicode=True))


def _choice() -> dict[str, Any]:
    return {
        "output_type": "multiple_choice",
        "doc_to_choice": "options",
        "doc_to_target": "answer_index",
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in CHOICE_METRICS
        ],
    }


def _generation(settings: SuiteSettings) -> dict[str, Any]:
    return {
        "output_type": "generate_until",
        "doc_to_target": "answer",
        "generation_kwargs": {
            "until": ["\n"],
            "do_sample": False,
            "temperature": 0.0,
            "max_gen_toks": settings.max_new_tokens,
        },
        "metric_list": [
            {
                "metric": "exact_match",
                "aggregation": "mean",
                "higher_is_better": True,
                "ignore_case": True,
                # A generated answer begins with the space that parts it from its prompt.
                "regexes_to_ignore": [r"^\s+", r"\s+$"],
            }
        ],
    }
