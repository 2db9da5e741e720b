"""A Llama of a few hundred KB with random weights and a token a byte: real code paths in milliseconds, for tests."""

from pathlib import Path

from harness.seeds import seeded

SPECIAL = ("<pad>", "</s>")


def build(folder: Path) -> None:
    """Write model and tokenizer into ``folder``; the weights are the same at every call."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(vocabulary)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    pad, end = SPECIAL
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=pad, eos_token=end)  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder)

    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=2048,
        initializer_range=0.1,  # wide enough that a prompt's words change the answer
        tie_word_embeddings=True,
        pad_token_id=vocabulary.index(pad),
        bos_token_id=None,
        eos_token_id=vocabulary.index(end),
    )
    with seeded(0, "tiny backbone"):
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
