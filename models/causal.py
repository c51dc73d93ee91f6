"""Hugging Face causal models: loading one, with an adapter or without, and telling which one it is."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from worldschool.canonical import canonical_json
from worldschool.errors import ModelError
from worldschool.files import sha256_file
from worldschool.models.packing import common_prefix
from worldschool.models.pull import resolve_model

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
"""What peft writes of an adapter: how it is put on, and its weights, in one form or the other."""

VOLATILE = (
    "_name_or_path",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "use_cache",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
)
"""Parts of a configuration that say nothing about what the weights compute."""


def load_causal_lm(name_or_path: str, dtype: str = "auto") -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer; no code from the model's repository is run.

    Args:
        name_or_path: a pulled model's name, a directory or a hub name.
        dtype: "float32", "bfloat16", "float16", or "auto": float32 on a CPU, bfloat16 on an accelerator.

    Raises:
        ModelError: it cannot be found or loaded, weights are missing from it, or the tokenizer is another model's.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    found = resolve_model(name_or_path)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = getattr(torch, {"auto": "float32" if device == "cpu" else "bfloat16"}.get(dtype, dtype))
    try:
        tokenizer = AutoTokenizer.from_pretrained(found)
        model, loaded = AutoModelForCausalLM.from_pretrained(found, dtype=kind, output_loading_info=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"this cannot be loaded as a causal language model: {str(error).strip().splitlines()[0]}",
            where=str(name_or_path),
            mend="Give a Hugging Face directory with config.json, tokenizer and weights, a hub name, or smollm2-135m.",
        ) from None
    if loaded["missing_keys"]:  # transformers draws them at random, with a word in the log
        raise ModelError(
            f"the checkpoint has no {_few(loaded['missing_keys'])}",
            where=str(name_or_path),
            mend="Give a whole checkpoint of a causal language model, not of an encoder or a classifier, say.",
        )
    places = model.get_input_embeddings().weight.shape[0]
    if (
        tokenizer.vocab_size > places
    ):  # tokens that were added later may be more: Gemma's tokenizer has some for pictures
        raise ModelError(
            f"the tokenizer has {tokenizer.vocab_size:,} tokens, and the model embeddings of {places:,}",
            where=str(name_or_path),
            mend="Put the model's own tokenizer beside its weights.",
        )
    return model.to(device), tokenizer


def check_adapter(adapter: Path) -> None:
    """Check that a directory holds what peft writes of an adapter; nothing of it is read.

    Raises:
        ModelError: there is no configuration, or there are no weights beside it.
    """
    config, *weights = ADAPTER_FILES
    if not (adapter / config).is_file():
        raise ModelError(
            f"there is no {config} here",
            where=str(adapter),
            mend="Give a PEFT adapter directory, such as the output of `worldschool finetune`.",
        )
    if not any((adapter / name).is_file() for name in weights):
        raise ModelError(
            f"there are no weights ({' or '.join(weights)}) beside {config}",
            where=str(adapter),
            mend="Give the whole directory that peft or `worldschool finetune` wrote.",
        )


def add_adapter(model: Any, adapter: Path) -> Any:
    """Put a PEFT adapter directory on a model.

    Raises:
        ModelError: it is no adapter, or not one of this model.
    """
    from peft import PeftModel

    check_adapter(adapter)
    try:
        with warnings.catch_warnings():  # peft asks transformers for a name that is on its way out
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", "Found missing adapter keys")  # an error, below
            adapted = PeftModel.from_pretrained(model, str(adapter))
            loaded = adapted.load_adapter(str(adapter), adapter_name="default")
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _misfit(adapter, str(error).strip().splitlines()[0]) from None
    # Read a second time for what peft only warns of, or says nothing of: what it leaves untrained, and what it drops.
    for keys, fault in (
        (loaded.missing_keys, "it has no"),
        (loaded.unexpected_keys, "the model has no place for its"),
    ):
        if found := [key for key in keys if "lora_" in key]:
            raise _misfit(adapter, f"{fault} {_few(found)}")
    return adapted


def _misfit(adapter: Path, fault: str) -> ModelError:
    return ModelError(
        f"this adapter cannot be loaded onto the model: {fault}",
        where=str(adapter),
        mend="Give the model that it was trained on.",
    )


def _few(keys: Iterable[str]) -> str:
    first, *others = sorted(keys)
    return f"{first} (and {len(others)} more)" if others else first


def base_of(model: Any) -> Any:
    """Return the transformers model inside a PEFT model, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


@contextmanager
def without_dropout(model: Any) -> Iterator[None]:
    """Have a model drop nothing within; afterwards every module trains that did before."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """Have a model answer by its original weights within, whatever adapters are attached.

    Afterwards adapters are on that were on before, and every parameter asks for a gradient or not, as it did.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    asked = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    layers = [
        module
        for module in model.modules()
        if isinstance(module, BaseTunerLayer) and not module.disable_adapters
    ]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
        for parameter, flag in asked:
            parameter.requires_grad_(flag)


def pad_token(tokenizer: Any) -> int:
    """Return the token that fills rows up; what it is changes nothing."""
    found = tokenizer.pad_token_id
    return int(found if found is not None else tokenizer.eos_token_id or 0)


def logits_of(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Return the model's logits of its decoder's hidden states, what it does behind its output layer included.

    That is read from the configuration: `logits_scaling` divides (Granite), `logit_scale` multiplies (Cohere),
    `final_logit_softcapping` c makes c tanh(x / c) of x (Gemma 2). `support.check_supported` compares with the model's own forward pass.

    Args:
        model: a transformers causal language model, with an adapter or without.
        hidden: [..., d].

    Returns:
        [..., words], float32 (float64 of a model in float64).
    """
    base = base_of(model)
    logits: torch.Tensor = base.get_output_embeddings()(hidden)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    config = base.config.get_text_config()
    if divisor := getattr(config, "logits_scaling", None):
        logits = logits / divisor
    if factor := getattr(config, "logit_scale", None):
        logits = logits * factor
    if cap := getattr(config, "final_logit_softcapping", None):
        logits = cap * torch.tanh(logits / cap)
    return logits


def context_of(model: Any) -> int:
    """Return how many tokens a text may have: as many as have positions, or as a sliding window (Mistral, Gemma) holds, if fewer.

    Rows that share a story have masks of their own, which know no window: within one they are right.

    Args:
        model: a transformers causal language model, with an adapter or without.
    """
    config = base_of(model).config.get_text_config()
    context = int(getattr(config, "max_position_embeddings", 2048))
    window = getattr(config, "sliding_window", None)
    # Qwen 2 carries a window that it does not use unless told to.
    if not window or not getattr(config, "use_sliding_window", True):
        return context
    kinds = getattr(config, "layer_types", None)
    slides = kinds is None or any("sliding" in kind for kind in kinds)
    return min(context, int(window)) if slides else context


def mask_for(model: Any, mask: torch.Tensor) -> torch.Tensor:
    """Return a mask of booleans as the model's attention takes it: eager attention adds it, the others read it."""
    base = base_of(model)
    if base.config._attn_implementation != "eager":
        return mask
    return torch.zeros_like(mask, dtype=base.dtype).masked_fill_(~mask, torch.finfo(base.dtype).min)


def base_parameters(model: Any) -> dict[str, torch.Tensor]:
    """Return the base model's own parameters by their names without an adapter, whether or not one is attached."""
    found = {}
    for name, tensor in base_of(model).named_parameters():
        if ".lora_" not in name and "lora_embedding" not in name:
            found[name.replace(".base_layer.", ".")] = tensor
    return found


def model_fingerprint(model: Any) -> str:
    """Return the sha256 (hex) over configuration and parameter names, shapes and a sample of values.

    The same for a model with and without an adapter, for float32 and bfloat16 copies (values are compared as bfloat16),
    and after a trainer set the model's special tokens to its tokenizer's.
    """
    config = base_of(model).config.to_dict()
    for volatile in VOLATILE:
        config.pop(volatile, None)
    config["architectures"] = config.get("architectures") or [
        type(base_of(model)).__name__
    ]  # none before saving
    digest = hashlib.sha256(canonical_json(_plain(config)).encode())
    for name, tensor in sorted(base_parameters(model).items()):
        flat = tensor.detach().reshape(-1)
        step = max(1, flat.numel() // 16)
        sample = [f"{value:.6e}" for value in flat[::step][:16].bfloat16().float().tolist()]
        digest.update(f"{name}{tuple(tensor.shape)}{sample}".encode())
    return digest.hexdigest()


def adapter_fingerprint(adapter: Path) -> str:
    """Return the sha256 (hex) over a PEFT adapter's configuration and weights, as they are in its directory.

    Raises:
        ModelError: there are none.
    """
    files = [path for name in ADAPTER_FILES if (path := adapter / name).is_file()]
    if not files:
        raise ModelError(
            f"none of an adapter's files is here ({', '.join(ADAPTER_FILES)})",
            where=str(adapter),
            mend="Give a PEFT adapter directory, such as the output of `worldschool finetune`.",
        )
    told = "".join(f"{path.name} {sha256_file(path)}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if not str(key).startswith("_")}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def encode_pair(tokenizer: Any, prompt: str, completion: str) -> tuple[list[int], list[int]]:
    """Tokenise `prompt + completion` as one text and cut between them (a straddling token goes to the completion)."""
    head: list[int] = tokenizer(prompt)["input_ids"]
    whole: list[int] = tokenizer(prompt + completion)["input_ids"]
    cut = common_prefix([head, whole])
    return whole[:cut], whole[cut:]
