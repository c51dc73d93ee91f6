"""Language models behind one protocol that scores and generates."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError

from worldschool.canonical import canonical_json
from worldschool.errors import ModelError
from worldschool.models.packing import Packed, collate, common_prefix, pack
from worldschool.models.pull import resolve_model
from worldschool.progress import Advance, silent

TOKENS_PER_BATCH = 2048
SEQUENCES_PER_BATCH = 64
SHARED_PREFIX_MINIMUM = 16


@dataclass(frozen=True)
class CompletionScore:
    """Sum of token log-probabilities (nats) of one completion, and over how many tokens and bytes."""

    logprob: float
    tokens: int
    bytes: int


class LanguageModel(Protocol):
    """What probes and agents need of a mind."""

    name: str
    fingerprint: str
    context_length: int

    def score(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[list[CompletionScore]]:
        """Return the score of each completion after its prompt; same shape as `completions`."""
        ...

    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Advance = silent) -> list[str]:
        """Return the greedy continuation of each prompt: its first line that is not empty, without outer spaces."""
        ...


class LocalModel:
    """A Hugging Face causal language model in this process, with or without a PEFT adapter.

    Attributes:
        model: the transformers or peft module, in evaluation mode.
        tokenizer: its tokenizer.
        name: what it was loaded from.
        fingerprint: see `model_fingerprint`; that of the base model, whatever the adapter.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = model_fingerprint(base_of(model))
        self.context_length = int(getattr(base_of(model).config, "max_position_embeddings", 2048))

    @classmethod
    def load(cls, name_or_path: str, adapter: Path | str | None = None, dtype: str = "auto") -> LocalModel:
        """Load a pulled model's name, a directory or a hub name, and a PEFT adapter directory on top.

        Raises:
            ModelError: there is no such model or adapter, or files are missing from it.
        """
        model, tokenizer = load_causal_lm(name_or_path, dtype)
        if adapter is not None:
            model = _add_adapter(model, Path(adapter))
        return cls(model, tokenizer, name_or_path)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        found: torch.device = next(self.model.parameters()).device
        return found

    def encode_pair(self, prompt: str, completion: str) -> tuple[list[int], list[int]]:
        """Tokenise a prompt and its completion as one text, and cut between them.

        Where a token straddles the cut it is counted with the completion, so the prompt may lose its last token.
        """
        return encode_pair(self.tokenizer, prompt, completion)

    @torch.inference_mode()
    def score(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[list[CompletionScore]]:
        """See `LanguageModel.score`. Each prompt is computed once for all of its completions."""
        rows, kept = [], []
        for prompt, options in zip(prompts, completions, strict=True):
            pairs = [self.encode_pair(prompt, option) for option in options]
            shared = min(common_prefix([head + tail for head, tail in pairs]), *(len(h) for h, _ in pairs))
            self._check_length(shared, max(len(head) + len(tail) for head, tail in pairs))
            whole = [(head + tail)[shared:] for head, tail in pairs]
            kept.append([len(tail) for _, tail in pairs])
            rows.append(pack(pairs[0][0][:shared], whole))
        results: list[list[CompletionScore]] = [[] for _ in rows]
        for batch in batches_by_length([len(row) for row in rows], TOKENS_PER_BATCH):
            hidden, shared = self._packed_hidden([rows[i] for i in batch])
            for number, index in enumerate(batch):
                row = rows[index]
                ends = [*row.starts[1:], len(row)]
                for option, (start, end, count) in enumerate(zip(row.starts, ends, kept[index], strict=True)):
                    first = end - count
                    before = [row.starts[0] - 1 if at == start else at - 1 for at in range(first, end)]
                    logprobs = self._logits(hidden[number, [at - shared for at in before]]).log_softmax(-1)
                    targets = torch.tensor(row.tokens[first:end], device=self.device)
                    total = logprobs.gather(1, targets[:, None]).sum().item()
                    text = completions[index][option]
                    results[index].append(CompletionScore(total, count, len(text.encode())))
            advance(len(batch))
        return results

    @torch.inference_mode()
    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Advance = silent) -> list[str]:
        """See `LanguageModel.generate`. A prefix that all prompts of a batch share is computed once."""
        encoded = [self.tokenizer(prompt)["input_ids"] for prompt in prompts]
        for tokens in encoded:
            self._check_length(len(tokens), len(tokens) + max_new_tokens)
        texts = [""] * len(prompts)
        for batch in batches_by_length([len(tokens) for tokens in encoded], None, SEQUENCES_PER_BATCH):
            for index, text in zip(
                batch, self._greedy([encoded[i] for i in batch], max_new_tokens), strict=True
            ):
                texts[index] = text
            advance(len(batch))
        return texts

    def _greedy(self, prompts: Sequence[list[int]], max_new_tokens: int) -> list[str]:
        shared = min(common_prefix(prompts), min(len(p) for p in prompts) - 1)
        cache, shared = self._prefill(prompts[0][:shared], len(prompts))
        width = max(len(p) for p in prompts) - shared
        ids = torch.full((len(prompts), width), self._pad_id, dtype=torch.int64)
        mask = torch.zeros((len(prompts), shared + width), dtype=torch.int64)
        mask[:, :shared] = 1
        for row, prompt in enumerate(prompts):  # padded on the left, so that all rows end together
            count = len(prompt) - shared
            ids[row, width - count :] = torch.tensor(prompt[shared:])
            mask[row, shared + width - count :] = 1
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]
        ids, mask, positions = ids.to(self.device), mask.to(self.device), positions.to(self.device)
        produced: list[list[int]] = [[] for _ in prompts]
        texts, finished = [""] * len(prompts), [False] * len(prompts)
        for _ in range(max_new_tokens):
            out = self._decoder(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
            )
            cache = out.past_key_values
            chosen = self._logits(out.last_hidden_state[:, -1]).argmax(-1)
            for row, token in enumerate(chosen.tolist()):
                if finished[row]:
                    continue
                produced[row].append(token)
                texts[row] = self.tokenizer.decode(produced[row], skip_special_tokens=True)
                finished[row] = token in self._end_ids or "\n" in texts[row].lstrip("\n")
            if all(finished):
                break
            ids, positions = chosen[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        return [text.strip("\n").split("\n")[0].strip() for text in texts]

    def _prefill(self, prefix: list[int], rows: int) -> tuple[Any, int]:
        """Compute a shared prefix's keys and values once and repeat them for `rows` sequences."""
        from transformers import DynamicCache

        if len(prefix) < SHARED_PREFIX_MINIMUM or rows == 1:
            return DynamicCache(config=base_of(self.model).config), 0
        ids = torch.tensor([prefix], device=self.device)
        cache = self._decoder(input_ids=ids, use_cache=True).past_key_values
        cache.batch_repeat_interleave(rows)
        return cache, len(prefix)

    def _packed_hidden(self, rows: Sequence[Packed]) -> tuple[torch.Tensor, int]:
        """Return the rows' hidden states `[rows, length - shared, d]` behind the `shared` tokens all rows begin with.

        The shared tokens (worked examples, say) are computed once; the token that predicts a row's first
        continuation is never among them.
        """
        packed = collate(rows, self._pad_id, self.device)
        shared = min(common_prefix([row.tokens for row in rows]), *(row.starts[0] - 1 for row in rows))
        cache, shared = self._prefill(list(rows[0].tokens[:shared]), len(rows))
        mask = mask_for(
            self.model, packed.attention_mask[:, :, shared:]
        )  # what the remaining tokens see, shared ones included
        out = self._decoder(
            input_ids=packed.input_ids[:, shared:],
            attention_mask=mask,
            position_ids=packed.position_ids[:, shared:],
            past_key_values=cache if shared else None,
            use_cache=bool(shared),
        )
        hidden: torch.Tensor = out.last_hidden_state
        return hidden, shared

    @property
    def _decoder(self) -> Any:
        return base_of(self.model).get_decoder()

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = base_of(self.model).get_output_embeddings()(hidden)
        return logits.float()

    @property
    def _pad_id(self) -> int:
        found = self.tokenizer.pad_token_id
        return int(found if found is not None else self.tokenizer.eos_token_id or 0)

    @property
    def _end_ids(self) -> set[int]:
        ends = {self.tokenizer.eos_token_id}
        for config in (base_of(self.model).generation_config, base_of(self.model).config):
            found = getattr(config, "eos_token_id", None)
            ends |= set(found) if isinstance(found, list) else {found}
        return {end for end in ends if end is not None}

    def _check_length(self, before: int, tokens: int) -> None:
        if not before:
            raise ModelError(
                "a prompt is empty, so nothing predicts the first token after it",
                where=self.name,
                mend="Give every prompt at least one whole token.",
            )
        if tokens > self.context_length:
            raise ModelError(
                f"a prompt and its completion take {tokens} tokens, more than the context of {self.context_length}",
                where=self.name,
                mend="Shorten the prompts, or use a model with a longer context.",
            )


def load_causal_lm(name_or_path: str, dtype: str = "auto") -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer; no code from the model's repository is run.

    Args:
        name_or_path: a pulled model's name, a directory or a hub name.
        dtype: "float32", "bfloat16", "float16", or "auto": float32 on a CPU, bfloat16 on an accelerator.

    Raises:
        ModelError: it cannot be found or loaded.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    found = resolve_model(name_or_path)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = getattr(torch, {"auto": "float32" if device == "cpu" else "bfloat16"}.get(dtype, dtype))
    try:
        tokenizer = AutoTokenizer.from_pretrained(found)
        model = AutoModelForCausalLM.from_pretrained(found, dtype=kind)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"this cannot be loaded as a causal language model: {str(error).strip().splitlines()[0]}",
            where=str(name_or_path),
            mend="Give a Hugging Face directory with config.json, tokenizer and weights, a hub name, or smollm2-135m.",
        ) from None
    return model.to(device), tokenizer


def _add_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    if not (adapter / "adapter_config.json").exists():
        raise ModelError(
            "there is no adapter_config.json here",
            where=str(adapter),
            mend="Give a PEFT adapter directory, such as the output of `worldschool finetune`.",
        )
    try:
        with warnings.catch_warnings():  # peft asks transformers for a name that is on its way out
            warnings.simplefilter("ignore", FutureWarning)
            return PeftModel.from_pretrained(model, str(adapter))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"this adapter cannot be loaded onto the model: {str(error).strip().splitlines()[0]}",
            where=str(adapter),
            mend="Give the model that it was trained on.",
        ) from None


def base_of(model: Any) -> Any:
    """Return the transformers model inside a PEFT model, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


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

    The same for a model with and without an adapter, and for float32 and bfloat16 copies: values are compared as
    bfloat16.
    """
    config = base_of(model).config.to_dict()
    for volatile in ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "use_cache"):
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


def batches_by_length(
    lengths: Sequence[int], tokens: int | None, sequences: int | None = None
) -> list[list[int]]:
    """Group indices so that a batch holds similar lengths and at most `tokens` tokens with padding, or `sequences`.

    Longest first: if memory does not suffice, that shows at once. Deterministic.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    found: list[list[int]] = []
    for index in order:
        if found:
            batch = found[-1]
            size = len(batch) + 1
            if (tokens is None or size * lengths[batch[0]] <= tokens) and (
                sequences is None or size <= sequences
            ):
                batch.append(index)
                continue
        found.append([index])
    return found


Loader = Callable[[str], LocalModel]
