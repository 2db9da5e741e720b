from itertools import chain, combinations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from harness.data.filters import iterated_core

ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), max_size=24)


def frame(rows: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"user": pl.String, "item": pl.String}, orient="row")


def is_core(rows: list[tuple[str, str]], minimum: int) -> bool:
    users, items = [user for user, _ in rows], [item for _, item in rows]
    return all(users.count(u) >= minimum for u in users) and all(items.count(i) >= minimum for i in items)


def subsets(values: str) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(values, size) for size in range(len(values) + 1)))


def test_dropping_a_user_drops_an_item_drops_a_user() -> None:
    rows = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z"), ("d", "z")]
    assert iterated_core(frame(rows), 2).rows() == rows[:4]


def test_a_repeated_pair_counts_as_often_as_it_stands() -> None:
    assert len(iterated_core(frame([("a", "x")] * 5))) == 5
    assert len(iterated_core(frame([("a", "x")] * 4))) == 0


@given(ROWS, st.integers(1, 4))
def test_is_the_largest_core(rows: list[tuple[str, str]], minimum: int) -> None:
    kept = iterated_core(frame(rows), minimum).rows()
    assert is_core(kept, minimum)
    for users in subsets("abcd"):
        for items in subsets("wxyz"):
            part = [row for row in rows if row[0] in users and row[1] in items]
            if len(part) > len(kept):
                assert not is_core(part, minimum)


@given(ROWS, st.integers(1, 4))
def test_is_a_fixed_point_and_does_not_depend_on_row_order(rows: list[tuple[str, str]], minimum: int) -> None:
    kept = iterated_core(frame(rows), minimum)
    assert iterated_core(kept, minimum).equals(kept)
    assert sorted(iterated_core(frame(rows[::-1]), minimum).rows()) == sorted(kept.rows())
