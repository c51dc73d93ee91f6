"""GGUF to a Hugging Face model directory, for Llama models with a byte-level BPE tokenizer.

transformers can load a GGUF file too, but reads it several times (28 s for SmolLM2-135M where this takes 10), cannot save
what it loaded, and leaves out the digit splitting of the "smollm" tokenizer: "a  12" came out as other tokens than the
model was trained on. The weights are equal, bit for bit (tests/models/test_pull.py).
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from worldschool.errors import ModelError
from worldschool.progress import Advance, silent

CONTROL_TOKEN = 3  # tokenizer.ggml.token_type of tokens such as <|im_start|>, which text is never split into

# Whether the GGUF's `tokenizer.ggml.pre` cuts every digit off by itself before the GPT-2 pattern is applied.
SPLITS_DIGITS = {"smollm": True, "gpt-2": False}

TENSOR_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
BLOCK_TENSOR_NAMES = {
    "attn_norm.weight": "input_layernorm.weight",
    "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight",
    "attn_v.weight": "self_attn.v_proj.weight",
    "attn_output.weight": "self_attn.o_proj.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "ffn_gate.weight": "mlp.gate_proj.weight",
    "ffn_up.weight": "mlp.up_proj.weight",
    "ffn_down.weight": "mlp.down_proj.weight",
}


def convert_gguf(path: Path, out: Path, *, name: str, advance: Advance = silent) -> None:
    """Write config, float32 safetensors and tokenizer of a GGUF file into the directory `out`.

    Quantised weights are expanded exactly (scale times integer plus minimum); nothing is rounded again. Peak memory is
    the float32 model's size above that of the imported libraries.

    Args:
        path: the GGUF file: architecture "llama", tokenizer "gpt2" (byte-level BPE).
        out: an existing directory.
        name: the model's name, kept in config.json as `_model_name_or_path`.
        advance: told of each tensor.

    Raises:
        ModelError: the file is no GGUF, or holds a kind of model, tokenizer or tensor that is not accepted.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
    except (OSError, ValueError, IndexError) as error:
        raise ModelError(f"this is not a readable GGUF file: {error}", where=str(path)) from None
    fields = _Fields(reader, path)
    fields.require("general.architecture", {"llama"})
    fields.require("tokenizer.ggml.model", {"gpt2"})
    fields.require("tokenizer.ggml.pre", set(SPLITS_DIGITS))
    _write_config(fields, out, name, tied=all(tensor.name != "output.weight" for tensor in reader.tensors))
    _write_tokenizer(fields, out)
    _write_weights(reader.tensors, fields, out, advance)
    for file in out.iterdir():
        os.chmod(file, 0o644)  # safetensors makes its file readable by its owner alone


class _Fields:
    """The key-value part of a GGUF file, with errors that name the file."""

    def __init__(self, reader: Any, path: Path) -> None:
        self._fields = reader.fields
        self.path = path

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under `key`: a number, text or list."""
        field = self._fields.get(key)
        return default if field is None else field.contents()

    def need(self, key: str) -> Any:
        """Return the value under `key`, which must be there."""
        value = self.get(key)
        if value is None:
            raise ModelError(f"the GGUF file has no {key}", where=str(self.path))
        return value

    def require(self, key: str, accepted: set[str]) -> None:
        """Check that the value under `key` is one of those accepted."""
        value = self.need(key)
        if value not in accepted:
            raise ModelError(
                f"the GGUF file has {key} = {value!r}",
                where=str(self.path),
                mend=f"Accepted: {', '.join(sorted(accepted))}.",
            )


def _write_config(fields: _Fields, out: Path, name: str, *, tied: bool) -> None:
    from transformers import GenerationConfig, LlamaConfig

    heads = fields.need("llama.attention.head_count")
    hidden = fields.need("llama.embedding_length")
    end = fields.need("tokenizer.ggml.eos_token_id")
    special = {
        "bos_token_id": fields.need("tokenizer.ggml.bos_token_id"),
        "eos_token_id": end,
        "pad_token_id": fields.get("tokenizer.ggml.padding_token_id", end),
    }
    config = LlamaConfig(
        vocab_size=len(fields.need("tokenizer.ggml.tokens")),
        hidden_size=hidden,
        intermediate_size=fields.need("llama.feed_forward_length"),
        num_hidden_layers=fields.need("llama.block_count"),
        num_attention_heads=heads,
        num_key_value_heads=fields.get("llama.attention.head_count_kv", heads),
        head_dim=hidden // heads,
        max_position_embeddings=fields.need("llama.context_length"),
        rms_norm_eps=fields.need("llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": fields.get("llama.rope.freq_base", 10000.0)},
        tie_word_embeddings=tied,
        architectures=["LlamaForCausalLM"],
        dtype="float32",
        _model_name_or_path=name,
        **special,
    )
    config.save_pretrained(out)
    GenerationConfig(**special).save_pretrained(out)


def _write_tokenizer(fields: _Fields, out: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens: list[str] = fields.need("tokenizer.ggml.tokens")
    kinds: list[int] = fields.need("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ", 1)) for merge in fields.need("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if SPLITS_DIGITS[fields.need("tokenizer.ggml.pre")]:
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    else:
        tokenizer.pre_tokenizer = byte_level
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=fields.need("llama.context_length"),
        **_special_tokens(fields, tokens),
    )
    wrapped.chat_template = fields.get("tokenizer.chat_template")
    wrapped.save_pretrained(out)


def _special_tokens(fields: _Fields, tokens: list[str]) -> dict[str, str]:
    end = fields.need("tokenizer.ggml.eos_token_id")
    ids = {
        "bos_token": fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token": end,
        "unk_token": fields.get("tokenizer.ggml.unknown_token_id"),
        "pad_token": fields.get("tokenizer.ggml.padding_token_id", end),
    }
    return {role: tokens[i] for role, i in ids.items() if i is not None}


def _write_weights(tensors: Any, fields: _Fields, out: Path, advance: Advance) -> None:
    import numpy as np
    from gguf import dequantize
    from safetensors.numpy import save_file

    heads = fields.need("llama.attention.head_count")
    heads_of = {
        "attn_q.weight": heads,
        "attn_k.weight": fields.get("llama.attention.head_count_kv", heads),
    }
    weights = {}
    for tensor in tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        kind = tensor.name.split(".", 2)[-1]
        if kind in heads_of:
            values = _rotary_halves(values, heads_of[kind])
        weights[_tensor_name(tensor.name, fields.path)] = np.ascontiguousarray(values, dtype=np.float32)
        advance()
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})


def _tensor_name(name: str, path: Path) -> str:
    if name in TENSOR_NAMES:
        return TENSOR_NAMES[name]
    prefix, _, rest = name.partition(".")
    block, _, kind = rest.partition(".")
    if prefix != "blk" or kind not in BLOCK_TENSOR_NAMES:
        raise ModelError(
            f"the GGUF file has a tensor {name!r} that a plain Llama model has no place for", where=str(path)
        )
    return f"model.layers.{block}.{BLOCK_TENSOR_NAMES[kind]}"


def _rotary_halves(weights: Any, heads: int) -> Any:
    """Undo llama.cpp's row order of query and key weights, shape (heads * d, inputs).

    llama.cpp rotates neighbouring rows of a head together; transformers rotates row i with row i + d / 2. The inverse
    of `permute` in llama.cpp's convert_hf_to_gguf.py.
    """
    half = weights.shape[0] // heads // 2
    return weights.reshape(heads, half, 2, *weights.shape[1:]).swapaxes(2, 1).reshape(weights.shape)
