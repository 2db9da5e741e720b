from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.llm import item_text
from harness.llm.backbone import Backbone
from harness.llm.item_text import ItemTexts
from tests.worlds import dataset

FIELDS = ("id", "title", "brand", "price", "description")
DATA = replace(
    dataset([[1, 2, 3]]),
    titles=("", "Pen", "Ink ", ""),
    fields={"description": ("", "Writes\n\nwell", "", ""), "brand": ("", "Acme", " ", "")},
)


def test_fields_are_joined_and_empty_ones_left_out(tiny: Backbone) -> None:
    texts = item_text.item_texts(DATA, FIELDS, ["description"], tiny.tokenizer, 100)
    assert texts.full == ("", "id: i1; title: Pen; brand: Acme; description: Writes well", "id: i2; title: Ink", "")
    assert texts.short == ("", "id: i1; title: Pen; brand: Acme", "id: i2; title: Ink", "")
    assert texts.cut == 0


def test_a_long_item_loses_its_end_and_is_counted(tiny: Backbone) -> None:
    texts = item_text.item_texts(DATA, FIELDS, ["description"], tiny.tokenizer, 40)
    assert texts.full[1] == "id: i1; title: Pen; brand: Acme; descrip"
    assert texts.short[1] == "id: i1; title: Pen; brand: Acme"
    assert texts.cut == 1


TEXTS = ItemTexts(("", "a long", "b long", "c long", ""), ("", "a", "b", "c", ""), 0)


def test_what_goes_first() -> None:
    assert list(item_text.cuts([1, 2], TEXTS)) == [
        ["a long", "b long"],
        ["a", "b long"],
        ["a", "b"],
        ["b"],
        [],
    ]


def render(shown: list[str]) -> list[list[int]]:
    """Two candidates, of 3 and 5 tokens, behind the history; a token a character."""
    return [list(map(ord, "".join(shown))) + [0] * length for length in (3, 5)]


@pytest.mark.parametrize(
    ("room", "kept", "cut"),
    [(17, "a longb long", False), (16, "ab long", True), (7, "ab", True), (6, "b", True), (5, "", True)],
)
def test_a_history_is_cut_until_the_longest_candidate_fits(room: int, kept: str, cut: bool) -> None:
    prompts, was_cut = item_text.fit([1, 4, 2], TEXTS, render, room, "")
    assert [len(prompt) - len(kept) for prompt in prompts] == [3, 5]
    assert all("".join(map(chr, prompt[: len(kept)])) == kept for prompt in prompts)
    assert was_cut == cut


def test_what_cannot_fit_is_told() -> None:
    for room, fits in ((4, 4), (-3, 0)):
        with pytest.raises(InputError, match=f"a prompt has 5 tokens without any history, and {fits} fit; raise this$"):
            item_text.fit([1, 2], TEXTS, render, room, "raise this")


@given(items=st.lists(st.integers(1, 3), max_size=6), room=st.integers(5, 60))
def test_as_little_is_cut_as_must_be(items: list[int], room: int) -> None:
    prompts, was_cut = item_text.fit(items, TEXTS, render, room, "")
    assert max(map(len, prompts)) <= room
    whole = sum(len(TEXTS.full[item]) for item in items) + 5
    assert was_cut == (whole > room)
