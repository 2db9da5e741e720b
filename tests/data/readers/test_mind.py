import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.data.cases import Sizes, by_hash
from harness.data.dataset import Dataset
from harness.data.readers import mind
from harness.errors import InputError

MIRROR = os.environ.get("LLMREC_MIRROR")
ENTITIES = '[{"Label": "A, B", "Type": "P"}]'
NEWS = [
    f'N{number}\tnews\tpolitics\tThe "{number}\tAn abstract\thttps://x/{number}\t{ENTITIES}\t[]' for number in range(30)
]
SIZES = Sizes(train=2, validation=1, test=1)


def clicks(count: int, start: int = 0) -> str:
    return " ".join(f"N{start + number}" for number in range(count))


def row(user: str, history: str, impression: int = 1) -> str:
    return f"{impression}\t{user}\t11/12/2019 2:14:46 PM\t{history}\tN1-0 N2-1"


ROWS = [row(f"U{number}", clicks(11, number)) for number in range(4)]


def read(folder: Path, rows: Sequence[str], news: Sequence[str] = NEWS, sizes: Sizes = SIZES) -> Dataset:
    (folder / "behaviors.tsv").write_text("\n".join(rows) + "\n")
    (folder / "news.tsv.gz").write_bytes(gzip.compress(("\n".join(news) + "\n").encode()))
    return mind.read("set", folder / "behaviors.tsv", folder / "news.tsv.gz", sizes)


def test_the_real_files_shape(tmp_path: Path) -> None:
    bare = "N99\tsports\t\tNo abstract, no entities\t\t\t\t"
    made = read(tmp_path, ROWS, [bare, *NEWS])
    assert (made.n_users, made.n_items) == (4, 31)
    assert made.raw_users == ("", "U0", "U1", "U2", "U3")
    assert [made.raw_items[item] for item in made.sequences[2]] == clicks(11, 1).split()
    first, last = made.raw_items.index("N0"), made.raw_items.index("N99")
    assert made.titles[first] == 'The "0'
    assert {field: column[first] for field, column in made.fields.items()} == {
        "category": "news",
        "subcategory": "politics",
    }
    assert (made.titles[last], made.fields["subcategory"][last]) == ("No abstract, no entities", "")
    assert made.parts is not None
    expected = dict(zip(by_hash(["U0", "U1", "U2", "U3"]), ["train", "train", "validation", "test"], strict=True))
    assert dict(zip(made.raw_users[1:], made.parts[1:], strict=True)) == expected


def test_only_histories_of_11_to_26_clicks_are_taken_and_the_first_row_of_a_user(tmp_path: Path) -> None:
    edges = [row("short", clicks(10)), row("long", clicks(27)), row("cold", ""), row("U0", clicks(20))]
    made = read(tmp_path, [*ROWS[:3], row("most", clicks(26)), *edges])
    assert set(made.raw_users[1:]) == {"U0", "U1", "U2", "most"}
    lengths = dict(zip(made.raw_users[1:], np.diff(made.sequences.offsets).tolist(), strict=True))
    assert lengths == {"U0": 11, "U1": 11, "U2": 11, "most": 26}


@pytest.mark.parametrize(
    ("rows", "news", "message"),
    [
        ([*ROWS, row("U9", "N3 N77 N4")], NEWS, r"behaviors\.tsv, line 5: news 'N77' of the history is not in news"),
        ([*ROWS, "5\tU9\t11/12/2019\tN1"], NEWS, r"behaviors\.tsv, line 5: 4 fields, expected 5"),
        ([*ROWS, row("", clicks(11))], NEWS, r"behaviors\.tsv, line 5: the user is empty"),
        (ROWS, [*NEWS, NEWS[0]], r"news\.tsv\.gz, lines 1 and 31: the same item twice"),
        (ROWS, [*NEWS, "N31\tnews"], r"news\.tsv\.gz, line 31: 2 fields, expected 8"),
        (ROWS[:3], NEWS, "set: 3 users can be selected, its protocol takes 4"),
    ],
)
def test_bad_files_name_their_line(tmp_path: Path, rows: list[str], news: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, rows, news)


def test_a_long_abstract_is_read(tmp_path: Path) -> None:
    long = f"N99\tnews\tpolitics\tTitle\t{'An abstract. ' * 12_000}\t\t\t"
    assert read(tmp_path, ROWS, [*NEWS, long]).n_items == 31


def test_news_without_any_text_are_counted(tmp_path: Path) -> None:
    made = read(tmp_path, ROWS, [*NEWS, "N50\t\t\t\t\t\t\t"])
    assert made.notes[-1] == "1 of 31 items have no text but their id"


@pytest.mark.skipif(not MIRROR, reason="LLMREC_MIRROR names no mirror of the papers' data")
def test_the_samples_users_in_their_stated_order() -> None:
    folder = Path(MIRROR or "") / "mind-small-sample"
    sizes = Sizes(train=800, validation=154, test=400)
    made = mind.read("sample", folder / "behaviors.tsv.gz", folder / "news.tsv.gz", sizes)
    assert made.parts is not None
    by_user = dict(zip(made.raw_users, made.parts, strict=True))
    ordered = by_hash(made.raw_users[1:])
    assert [by_user[user] for user in ordered] == ["train"] * 800 + ["validation"] * 154 + ["test"] * 400
    lengths = np.diff(made.sequences.offsets)
    assert (lengths.min(), lengths.max()) == (11, 26)
    assert made.notes[1] == "16 of 1354 answers stand in their own history"
