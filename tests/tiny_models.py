"""Tiny language models made on the spot: random weights, a byte-level tokenizer trained on a few sentences.

`tests/conftest.py` loads this file as the module `worldschool_tiny_models`; the fixtures `tiny_models` and `tiny_llama`
give the module and one saved model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CORPUS = (
    "Emily was in the kitchen. Emily picked up the phone from the counter. Emily walked to the home office. "
    "Emily put the phone on the desk. The apple is on the desk. Question: Where is the apple now? Answer: kitchen "
    "How many items are on the desk? In the bedroom, in the garden, there and then, another one."
)
WORDS = CORPUS.split()


def tokenizer() -> Any:
    """Return a byte-level BPE tokenizer of 320 tokens that can encode any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([CORPUS] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<end>", pad_token="<end>")


def llama(seed: int = 0, context: int = 512, vocabulary: int = 320, end: int | None = 0) -> Any:
    """Return a randomly initialised Llama of two layers, in evaluation mode.

    The initial values are wide, so that what a token attends to changes its logits by far more than rounding does.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.2,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=None,
    )
    return LlamaForCausalLM(config).eval()


SIZES = {
    "vocab_size": 320,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": None,
}


def of_kind(kind: str, **settings: Any) -> Any:
    """Return a randomly initialised model of another architecture ("Granite", "Mistral", ...), in evaluation mode."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{**SIZES, **settings})
    return getattr(transformers, f"{kind}ForCausalLM")(config).eval()


def save(directory: Path, seed: int = 0, context: int = 512) -> Path:
    """Write a Llama and its tokenizer as a Hugging Face model directory."""
    llama(seed, context).save_pretrained(directory)
    tokenizer().save_pretrained(directory)
    return directory


def adapt(model: Any, seed: int | None = 0, rank: int = 4) -> Any:
    """Attach a LoRA adapter to the attention matrices; with a seed, B is drawn instead of zero."""
    import torch
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=rank,
        lora_alpha=12.0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        task_type="CAUSAL_LM",
        bias="none",
    )
    adapted = get_peft_model(model, settings)
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in adapted.named_parameters():
            if ".lora_" in name:
                parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return adapted.eval()
