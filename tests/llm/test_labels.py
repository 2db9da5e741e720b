from itertools import product
from string import ascii_uppercase

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from harness.errors import InputError
from harness.llm import labels, prompts, shapes
from harness.llm.backbone import Backbone
from harness.llm.catalogue import entries
from harness.llm.tiny import byte_tokenizer

EMPTY = prompts.render(prompts.load("llamarec"), (), ())


def tokenizer_with(merges: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
    """Bytes, and the given pairs as further tokens."""
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(a + b for a, b in merges)]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def test_labels_are_the_bytes_of_a_byte_tokenizer(tiny: Backbone) -> None:
    found = labels.find(tiny.tokenizer, EMPTY)
    assert tiny.tokenizer.convert_ids_to_tokens(list(found.tokens)) == list(found.texts)
    assert "".join(found.texts) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize("name", ["tiny", "llama-1b-shape"])
def test_the_catalogue_says_how_many_labels_a_tokenizer_has(name: str) -> None:
    tokenizer = byte_tokenizer(shapes.PAIRS if entries()[name].shape else ())
    assert len(labels.find(tokenizer, EMPTY)) == entries()[name].labels


def test_a_letter_that_melts_into_the_prompt_is_an_error() -> None:
    labels.find(tokenizer_with([("A", "b")]), EMPTY)
    with pytest.raises(InputError, match="the letter 'C' behind .* is not one token of its own"):
        labels.find(tokenizer_with([("Ċ", "C")]), EMPTY)


class CaseMarking:
    """A tokenizer that writes a capital letter as two tokens: a mark and the small letter."""

    name_or_path = "case-marking"

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [part for c in text for part in ([0, ord(c.lower())] if c.isupper() else [ord(c)])]}


def test_a_letter_of_two_tokens_is_an_error() -> None:
    with pytest.raises(InputError, match="case-marking: the letter 'A' .* is not one token"):
        labels.find(CaseMarking(), EMPTY)


def test_behind_the_letters_come_the_pairs_that_are_kept_whole() -> None:
    tokenizer = tokenizer_with([("Z", "Z"), ("B", "A"), ("A", "B"), ("a", "b")])
    found = labels.find(tokenizer, EMPTY)
    assert found.texts[:30] == (*ascii_uppercase, "AB", "BA", "ZZ", "a")
    assert tokenizer.convert_ids_to_tokens(list(found.tokens[26:29])) == ["AB", "BA", "ZZ"]
    assert len(found) == len(set(found.tokens)) == 26 + 3 + 26 + 10


class CaseBlind:
    """A tokenizer to which a capital letter is the small one."""

    name_or_path = "case-blind"

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [ord(letter.lower()) for letter in text]}


def test_no_two_labels_are_the_same_token() -> None:
    assert labels.find(CaseBlind(), EMPTY).texts == (*ascii_uppercase, *"0123456789")


def test_a_hundred_labels_are_enough() -> None:
    found = labels.find(tokenizer_with(list(product(ascii_uppercase, ascii_uppercase))), EMPTY)
    assert (len(found), len(set(found.tokens)), found.texts[26:29]) == (100, 100, ("AA", "AB", "AC"))


def test_more_candidates_than_a_tokenizer_has_labels_for(tiny: Backbone) -> None:
    found = labels.find(tiny.tokenizer, EMPTY)
    assert found.first(30).texts[25:] == ("Z", "a", "b", "c", "d")
    assert found.first(30).tokens == found.tokens[:30]
    with pytest.raises(InputError, match="labels for at most 62 candidates, not 63"):
        found.first(63)
