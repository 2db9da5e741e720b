import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.assemble import assemble, from_raw
from harness.errors import InputError


def log(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"user": pl.String, "item": pl.String, "time": pl.Int64}, orient="row")


def named(*items: str, **columns) -> pl.DataFrame:
    return pl.DataFrame({"item": list(items), "title": [f"title {item}" for item in items], **columns})


def test_numeric_ids_are_sorted_as_numbers_and_ties_follow_them() -> None:
    rows = [("10", "100", 5), ("9", "100", 7), ("10", "9", 5), ("10", "20", 1)]
    made = assemble("s", log(rows), named("100", "20", "9", genre=["g100", "g20", "g9"]))
    assert made.raw_users == ("", "9", "10")
    assert made.raw_items == ("", "9", "20", "100")
    assert made.titles == ("", "title 9", "title 20", "title 100")
    assert made.fields == {"genre": ("", "g9", "g20", "g100")}
    assert [list(items) for items in made.sequences] == [[3], [2, 1, 3]]
    assert made.times is not None
    assert made.times.tolist() == [7, 1, 5, 5]


def test_one_id_that_is_no_number_makes_all_strings() -> None:
    made = assemble("s", log([("u", "9", 0), ("u", "100", 1), ("u", "B0", 2)]), named("9", "100", "B0"))
    assert made.raw_items == ("", "100", "9", "B0")


def test_a_repeat_at_another_time_is_data() -> None:
    made = assemble("s", log([("u", "a", 2), ("u", "b", 1), ("u", "a", 0)]), named("a", "b"))
    assert made.sequences[1].tolist() == [1, 2, 1]


def test_untitled_items_go_before_the_filter() -> None:
    rows = [(user, item, 0) for user in "abcde" for item in "12345"]
    items = named(*"1234").vstack(pl.DataFrame({"item": ["5"], "title": [" "]}))
    with pytest.raises(InputError, match="set: none of 25 interactions is left by the 5-core filter"):
        from_raw("set", log(rows), items)
    made = from_raw("set", log(rows), named(*"123456"))
    assert (made.n_users, made.n_items, made.n_interactions) == (5, 5, 25)


@given(st.permutations([(user, item, day) for user in "abcdef" for day, item in enumerate("31425")]), st.randoms())
def test_row_order_changes_nothing(rows: list[tuple[str, str, int]], random) -> None:
    items = list("12345678")
    random.shuffle(items)
    made = from_raw("s", log(rows), named(*items))
    assert made.raw_items == ("", *"12345")
    assert made.titles[1:] == tuple(f"title {item}" for item in "12345")
    assert np.array_equal(made.sequences.items, [3, 1, 4, 2, 5] * 6)
    assert made.sequences.offsets.tolist() == list(range(0, 31, 5))
