import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError
from harness.llm import prompts, tiny
from harness.llm.backbone import Backbone
from harness.llm.sized_prompts import sized_prompts, sized_titles
from harness.seeds import rng

WORDING = prompts.load("llamarec")
TITLES = ["Heat (1995)", "Alien (1979)", "M (1931)", "The Third Man (1949)"]
BYTES = tiny.byte_tokenizer()


@given(tokens=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_a_text_has_its_length_and_consists_of_whole_titles_but_for_the_last(tokens: int, seed: int) -> None:
    for text in sized_titles(TITLES, BYTES, tokens, 5, rng(seed)):
        assert len(text) == tokens
        rest = text
        while rest:
            parts = [title for title in TITLES if rest.startswith(title[: len(rest)])]
            assert parts
            rest = rest[len(parts[0]) :].removeprefix(" ")


def test_the_prompts_name_the_items_and_keep_the_candidates(tiny: Backbone) -> None:
    asked = sized_prompts(tiny, WORDING, ["", *TITLES], title_tokens=20, batch=2, history=3, candidates=4)
    first, second = map(tiny.tokenizer.decode, asked.tokens)
    assert (asked.title_tokens, asked.labels.texts, asked.history) == (20, ("A", "B", "C", "D"), 3)
    assert [len(row) for row in asked.titles] == [4, 4]
    assert asked.titles[0] != asked.titles[1]
    for text, row in ((first, asked.titles[0]), (second, asked.titles[1])):
        assert "(3) " in text
        assert "(4) " not in text
        assert text.index(f"(A) {row[0]}") < text.index(f"(D) {row[3]}")
        assert text.endswith("### Response:\n")
    again = sized_prompts(tiny, WORDING, TITLES, title_tokens=20, batch=2, history=3, candidates=4)
    other = sized_prompts(tiny, WORDING, TITLES[1:], title_tokens=20, batch=2, history=3, candidates=4)
    assert again.sha256 == asked.sha256 != other.sha256


def test_what_cannot_be_asked_is_an_error(tiny: Backbone) -> None:
    with pytest.raises(InputError, match="at most 62 candidates, not 63"):
        sized_prompts(tiny, WORDING, TITLES, title_tokens=5, batch=1, history=1, candidates=63)
    with pytest.raises(InputError, match="no titles"):
        sized_prompts(tiny, WORDING, ["", ""], title_tokens=5, batch=1, history=1, candidates=1)
