"""The quickstart at toy size: every stage, and the same episodes after a kill as without one."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worldschool.config import build_config, load_config
from worldschool.errors import ConfigError, ModelError, OutputError
from worldschool.experience.store import EpisodeStore
from worldschool.recipes import quickstart as recipe
from worldschool.recipes.quickstart import QuickstartConfig, contract, quickstart, summary

SMALL = {
    "steps": 2,
    "embedder": "hashing",
    "train_stories": 40,
    "train_plans": 3,
    "heldout_stories": 24,
    "heldout_plans": 3,
    "batch_examples": 4,
    "fisher": {"samples": 4, "tokens": 16},
    "path_items": 4,
    "choice_items": 4,
    "plan_items": 2,
    "text_tokens": 400,
}


def hashes(out: Path) -> dict[str, str]:
    """Return each dataset's content hash."""
    return {
        path.name: EpisodeStore.open(path).content_hash() for path in sorted((out / "episodes").iterdir())
    }


@pytest.fixture(scope="module")
def finished(roomy_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A finished small quickstart."""
    out = tmp_path_factory.mktemp("quickstart") / "school"
    config = build_config(QuickstartConfig, {**SMALL, "model": str(roomy_llama)}, "test")
    return out, quickstart(config, out)


def test_every_stage_leaves_what_it_promises(finished: tuple[Path, dict[str, object]]) -> None:
    out, results = finished
    for made in ("ewc/adapter_model.safetensors", "plain/adapter_model.safetensors", "memory/memory.sqlite"):
        assert (out / made).exists(), made
    for made in ("report/report.html", "report/results.json", "report/items.parquet", "pace.json"):
        assert (out / made).exists(), made
    assert len(results["contract"]) == 3  # type: ignore[arg-type]
    assert "object_path" in results["suites"]  # type: ignore[operator]
    text = summary(results, out)
    assert "Object path tracking" in text and "report.html" in text


def test_run_again_it_keeps_what_is_done(finished: tuple[Path, dict[str, object]], roomy_llama: Path) -> None:
    out, _ = finished
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    config = build_config(QuickstartConfig, {**SMALL, "model": str(roomy_llama)}, "test")
    quickstart(config, out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == stamps


def test_a_kill_in_the_middle_changes_nothing_in_the_end(
    finished: tuple[Path, dict[str, object]], roomy_llama: Path, tmp_path: Path
) -> None:
    done, _ = finished
    out = tmp_path / "school"
    command = [
        sys.executable,
        "-m",
        "worldschool.cli",
        "quickstart",
        "--out",
        str(out),
        "--set",
        f"model={roomy_llama}",
    ]
    for key, value in SMALL.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    process = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    manifest = out / "episodes" / "train-stories" / "manifest.jsonl"
    while not (manifest.exists() and manifest.stat().st_size):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "report").exists()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert hashes(out) == hashes(done)
    assert "Object path tracking" in again.stdout


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_a_later_stage_refuses_is_refused_at_once(seed: int) -> None:
    with pytest.raises(ConfigError, match="seed: input should be"):
        load_config(QuickstartConfig, None, [f"seed={seed}"])


def test_a_mistaken_model_leaves_the_output_to_the_mended_command(tmp_path: Path) -> None:
    broken, out = tmp_path / "broken", tmp_path / "school"
    broken.mkdir()
    for name in ("config.json", "model.safetensors"):
        (broken / name).write_text("{}")
    for model in (broken, tmp_path / "none"):
        with pytest.raises(ModelError):
            quickstart(build_config(QuickstartConfig, {**SMALL, "model": str(model)}, "test"), out)
    assert list(out.iterdir()) == []


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(recipe, "_time_step", lambda *_: recipe.Timing(seconds=1.0, tokens=100.0))
    monkeypatch.setattr(recipe, "write_json", full)
    with pytest.raises(OutputError, match="the disk is full"):
        recipe._choose_pace(QuickstartConfig(), tmp_path, started=0.0)


def test_the_contract_reads_gain_perplexity_and_share() -> None:
    def results(low: float, change: float, ewc: float, plain: float) -> dict[str, object]:
        scores = {"base": {"value": 0.0}, "base, 3-shot": {"value": 0.3}, "EWC": {"value": ewc}}
        scores["plain LoRA"] = {"value": plain}
        common = {"suite": "object_path", "a": "EWC"}
        gain = common | {"b": "base, 3-shot", "difference": ewc - 0.3, "ci95": [low, 1.0]}
        apart = common | {"b": "plain LoRA", "difference": ewc - plain, "ci95": [-1.0, 1.0]}
        return {
            "models": [{"name": n, "adapter": None if n.startswith("base") else n} for n in scores],
            "suites": {"object_path": {"scores": scores}},
            "comparisons": [gain, apart],
            "retention": {"prose": {"change": {"EWC": {"value": change}}}},
        }

    def held(*values: float) -> list[bool]:
        return [promise["holds"] for promise in contract(results(*values))]

    assert held(0.05, 0.001, 0.45, 0.46) == [True, True, True]
    assert held(-0.01, 0.02, 0.35, 0.46) == [False, False, False]
