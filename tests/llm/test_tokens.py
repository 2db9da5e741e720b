import pytest

from harness.errors import InputError
from harness.llm.backbone import Backbone
from harness.llm.tokens import behind
from tests.llm.test_labels import tokenizer_with


def test_a_text_is_what_it_adds_to_the_one_before(tiny: Backbone) -> None:
    found = behind(tiny.tokenizer, "### Response:\n", "Toy")
    assert tiny.tokenizer.convert_ids_to_tokens(found) == ["T", "o", "y"]
    assert behind(tiny.tokenizer, "### Response:\n", "") == []


def test_a_text_that_melts_into_what_stands_before_is_an_error() -> None:
    tokenizer = tokenizer_with([("Ċ", "T")])
    with pytest.raises(InputError, match="'Toy' behind .* melts into it"):
        behind(tokenizer, "### Response:\n", "Toy")
