"""A Llama of a few hundred KB with random weights and a token a byte: real code paths in milliseconds, for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.seeds import seeded

SPECIAL = ("<pad>", "</s>")


def byte_tokenizer(pairs: Sequence[tuple[str, str]] = ()) -> Any:
    """A fast tokenizer with a token a byte, and one for each of the given pairs of them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, pairs)]
    merges = models.BPE(vocab={token: index for index, token in enumerate(vocabulary)}, merges=list(pairs))
    tokenizer = Tokenizer(merges)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    pad, end = SPECIAL
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=pad, eos_token=end)  # type: ignore[no-untyped-call]


def build(folder: Path) -> None:
    """Write model and tokenizer into ``folder``; the weights are the same at every call."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=2048,
        initializer_range=0.1,  # wide enough that a prompt's words change the answer
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with seeded(0, "tiny backbone"):
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
