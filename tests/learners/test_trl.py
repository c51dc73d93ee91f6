"""The script of docs/: TRL's real SFTTrainer, held by EWC."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

from worldschool.learners.retention.callback import LOGGED

SCRIPT = Path(__file__).parents[2] / "docs" / "ewc_with_trl.py"
TEXT = "The apple is on the desk. Emily walked to the kitchen. Emily put the phone there and then walked to the garden. "


def test_trls_trainer_is_held_by_one_line(tiny_models, tmp_path, monkeypatch):
    pytest.importorskip("trl", reason="trl is not installed")
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = tiny_models.save(tmp_path / "model")
    (tmp_path / "general.txt").write_text(TEXT * 60)
    rows = [
        {"prompt": f"Question: Where is the {thing}?\nAnswer:", "completion": " kitchen\n"}
        for thing in "abcdefgh"
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(SCRIPT.read_text().strip().splitlines()) <= 30
    import trl

    made = trl.SFTConfig
    monkeypatch.setattr(  # the script as it is, but for fewer steps
        trl,
        "SFTConfig",
        lambda out, **given: made(out, use_cpu=True, **(given | {"max_steps": 12, "logging_steps": 4})),
    )
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(model), str(tmp_path / "rows.jsonl"),
                                      str(tmp_path / "general.txt"), str(tmp_path / "out")])  # fmt: skip
    ran = runpy.run_path(str(SCRIPT), run_name="__main__")
    logged = [entry for entry in ran["trainer"].state.log_history if LOGGED in entry]
    assert len(logged) == 3 and all(entry[LOGGED] >= 0 for entry in logged) and logged[-1][LOGGED] > 0
    assert logged[-1]["loss"] < logged[0]["loss"]
    plain = AutoModelForCausalLM.from_pretrained(model)
    adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), tmp_path / "out")
    ids = torch.tensor([[5, 6, 7, 8]])
    merged = adapted.merge_and_unload()
    assert not torch.equal(merged(input_ids=ids).logits, plain(input_ids=ids).logits)
