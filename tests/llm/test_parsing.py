import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.llm.parsing import parse
from harness.llm.ranked_list import SEPARATORS, Output

FILMS = ["Heat", "Alien (1979)", "Toy Story", "13. Floor"]
LABELS = ["A", "B", "AA", "a"]
TITLE = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1).map(lambda text: " ".join(text.split()))


def test_a_list_by_hand() -> None:
    text = "Toy Story\nMatrix\n (B) Alien  (1979)\nToy Story\n\n3. Toy Story\nHea"
    found = parse(text, FILMS, "titles")
    assert found.rank == (4, 2, 1, 4)
    assert (found.named, found.repeated, found.unparsed, found.invented) == (2, 2, 1, 1)


def test_a_title_that_looks_marked_is_first_taken_as_it_stands() -> None:
    assert parse("13. Floor\n- Heat", FILMS, "titles").rank == (2, 4, 4, 1)


def test_letters_by_hand() -> None:
    found = parse("AA > b > B>a > A > AA", LABELS, "letters")
    assert found.rank == (4, 2, 1, 3)
    assert (found.named, found.repeated, found.invented) == (4, 1, 1)


def test_nothing_named_leaves_all_in_the_last_place() -> None:
    for text in ("", "\n\n", "Sorry, I cannot rank films."):
        assert parse(text, FILMS, "titles").rank == (4, 4, 4, 4)


def test_candidates_of_one_title_share_its_place() -> None:
    found = parse("Toy Story\nHeat\nHeat", ["Heat", "Toy Story", "Heat", "Alien"], "titles")
    assert (found.rank, found.named, found.repeated) == ((2, 1, 2, 4), 3, 1)


@pytest.mark.parametrize("output", ["titles", "letters"])
@given(data=st.data())
def test_a_perfect_list_is_read_as_it_was_written(output: Output, data: st.DataObject) -> None:
    texts = TITLE.filter(bool) if output == "titles" else st.sampled_from([*"ABCDEFGH", "AA", "AB", "ZZ"])
    candidates = data.draw(st.lists(texts, unique=True, min_size=1, max_size=8))
    order = data.draw(st.permutations(range(len(candidates))))
    found = parse(SEPARATORS[output].join(candidates[place] for place in order), candidates, output)
    assert [found.rank[place] for place in order] == list(range(1, len(candidates) + 1))
    assert (found.named, found.repeated, found.unparsed, found.invented) == (len(candidates), 0, 0, 0)


@given(
    text=st.text(st.sampled_from("ab (A)1.-\n>é"), max_size=60),
    candidates=st.lists(st.text("ab ", max_size=3), min_size=1, max_size=6),
    output=st.sampled_from(["titles", "letters"]),
)
def test_any_text_is_a_ranking(text: str, candidates: list[str], output: Output) -> None:
    found = parse(text, candidates, output)
    n = len(candidates)
    assert len(found.rank) == n
    assert all(1 <= rank <= n for rank in found.rank)
    places = {" ".join(one.split()): rank for one, rank in zip(candidates, found.rank, strict=True)}
    named = sorted(rank for rank in places.values() if rank < n)
    assert named == list(range(1, len(named) + 1))
    assert found.named <= n
    entries = sum(bool(piece.strip()) for piece in text.split(SEPARATORS[output].strip(" ")))
    taken = entries - found.repeated - found.unparsed - found.invented
    assert taken == len(named) + (taken == n)  # the last of n places says nothing by itself
    assert bool(taken) == bool(found.named)
