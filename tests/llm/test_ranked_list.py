import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.llm.backbone import Backbone
from harness.llm.parsing import parse
from harness.llm.ranked_list import Entries, Output, entries, following, write
from tests.llm.test_labels import tokenizer_with

END = 1
TITLES = ["Toy Story (1995)", "Toy Story", "Heat", "Alien\n (1979)", "Heat"]


def written_in_full(offered: Entries, order: Sequence[int]) -> list[int]:
    return [*offered.first[order[0]], *(token for one in order[1:] for token in offered.later[one]), END]


def prompt(llm: Backbone, text: str = "Rank.\n### Response:\n") -> list[int]:
    tokens: list[int] = llm.tokenizer(text)["input_ids"]
    return tokens


def test_entries_are_the_list_s_own_tokens(tiny: Backbone) -> None:
    offered = entries(tiny.tokenizer, "### Response:\n", TITLES, "titles")
    text = "Heat\nToy Story\nAlien (1979)\nToy Story (1995)"
    assert tiny.tokenizer.decode(written_in_full(offered, [2, 1, 3, 0])[:-1]) == text
    assert offered.joint_length() == len(text) + 1
    lettered = entries(tiny.tokenizer, "### Response:\n", ["A", "B", "C"], "letters")
    assert tiny.tokenizer.decode(written_in_full(lettered, [1, 0, 2])[:-1]) == "B > A > C"


def test_titles_that_begin_alike_stay_open_until_they_part() -> None:
    offered = Entries(first=[[5, 6], [5, 6, 7], [8]], later=[[0, 5, 6], [0, 5, 6, 7], [0, 8]])
    next_tokens = following(offered, END)
    assert next_tokens([]) == [5, 8]
    assert next_tokens([5]) == [6]
    assert next_tokens([5, 6]) == [0, 7]  # the first title is complete, or goes on as the second
    assert next_tokens([5, 6, 0]) == [5, 8]
    assert next_tokens([5, 6, 0, 5, 6]) == [7]  # the first title was written already
    assert next_tokens([5, 6, 0, 5, 6, 7]) == [0]
    assert next_tokens([5, 6, 0, 5, 6, 7, 0]) == [8]
    assert next_tokens([5, 6, 0, 5, 6, 7, 0, 8]) == [END]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_every_order_of_the_entries_may_be_written(tiny: Backbone, order: tuple[int, ...]) -> None:
    offered = entries(tiny.tokenizer, "### Response:\n", TITLES, "titles")
    tokens, next_tokens = written_in_full(offered, order), following(offered, END)
    assert all(token in next_tokens(tokens[:place]) for place, token in enumerate(tokens))
    assert len(tokens) == offered.joint_length()


@given(titles=st.lists(st.text("ab ", min_size=1, max_size=4), min_size=1, max_size=5), choices=st.randoms())
@settings(max_examples=60)
def test_whatever_is_chosen_of_what_is_allowed_names_every_entry_once(
    titles: list[str], choices: random.Random
) -> None:
    tokenizer = tokenizer_with([("a", "b"), ("a", "a")])
    offered, text = entries(tokenizer, "### Response:\n", titles, "titles"), list[int]()
    next_tokens = following(offered, -1)
    while (token := choices.choice(next_tokens(text))) != -1:
        text.append(token)
        assert len(text) < offered.joint_length()
    ranking = parse(tokenizer.decode(text), titles, "titles")
    assert (ranking.invented, ranking.repeated, ranking.unparsed) == (0, 0, 0)
    assert ranking.named == sum(bool(title.strip()) for title in titles)


@pytest.mark.parametrize("output", ["titles", "letters"])
@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_a_constrained_list_names_all_and_ends(tiny: Backbone, output: Output, cache: str) -> None:
    texts = TITLES if output == "titles" else ["A", "B", "C", "D", "E"]
    offered = entries(tiny.tokenizer, "### Response:\n", texts, output)
    prompts = [prompt(tiny), prompt(tiny, "Another.\n### Response:\n")]
    lists = write(tiny, prompts, [offered] * 2, constrained=True, cache=cache)
    for text in lists:
        assert text[-1] == END
        ranking = parse(tiny.tokenizer.decode(text[:-1]), texts, output)
        assert (ranking.named, ranking.invented, ranking.repeated, ranking.unparsed) == (5, 0, 0, 0)
    assert write(tiny, prompts[:1], [offered], constrained=True, cache=cache) == lists[:1]


def test_a_free_list_stops_at_its_own_joint_length(tiny: Backbone) -> None:
    offered = [entries(tiny.tokenizer, "### Response:\n", TITLES[:count], "titles") for count in (1, 2, 4)]
    lists = write(tiny, [prompt(tiny)] * 3, offered)
    assert [len(text) for text in lists] == [one.joint_length() for one in offered]
    assert lists[2][: len(lists[0])] == lists[0]
