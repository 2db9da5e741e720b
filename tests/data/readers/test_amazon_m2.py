import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.data.cases import Sizes
from harness.data.dataset import Dataset
from harness.data.readers import amazon_m2
from harness.errors import InputError

ITEMS = [f"B{number:09}" for number in range(50)]
HEADER = "id,locale,title,price,brand,color,size,model,material,author,desc".split(",")
SIZES = Sizes(train=2, validation=1, test=1)


def session(previous: int, start: int = 0, locale: str = "UK") -> list[str]:
    return [str(np.array(ITEMS[start : start + previous])), ITEMS[start + previous], locale]


def product(item: str, locale: str = "UK", title: str = 'A 5" "big"\none, really') -> list[str]:
    return [item, locale, title, "12.5", "Brand", "", "", "", "", "", "Does, what\nit says"]


SESSIONS = [session(10, start) for start in range(4)]
PRODUCTS = [product(item) for item in ITEMS]


def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    return path


def read(folder: Path, sessions: Sequence[Sequence[str]], products: Sequence[Sequence[str]] = PRODUCTS) -> Dataset:
    asked = write(folder / "sessions_train.csv", [["prev_items", "next_item", "locale"], *sessions])
    sold = write(folder / "products_train.csv", [HEADER, *products])
    return amazon_m2.read("set", asked, sold, SIZES)


def test_lists_over_several_lines_and_texts_with_quotes_and_line_ends(tmp_path: Path) -> None:
    assert "\n" in SESSIONS[0][0]
    made = read(tmp_path, SESSIONS, [*PRODUCTS, product(ITEMS[0], "DE", "Auf Deutsch")])
    assert (made.n_users, made.n_items) == (4, 50)
    assert [made.raw_items[item] for item in made.sequences[3]] == ITEMS[2:13]
    assert made.parts == ("", "train", "train", "validation", "test")
    assert made.titles[1] == 'A 5" "big"\none, really'
    assert {field: column[1] for field, column in made.fields.items()} == {
        "price": "12.5",
        "brand": "Brand",
        **dict.fromkeys(("color", "size", "model", "material", "author"), ""),
        "description": "Does, what\nit says",
    }
    assert list(made.fields) == "price brand color size model material author description".split()


def test_the_first_british_sessions_of_10_to_25_items_are_taken_in_file_order(tmp_path: Path) -> None:
    others = [session(9), session(26), session(12, locale="DE"), ["[]", ITEMS[0], "UK"]]
    made = read(tmp_path, [*others, session(25), *SESSIONS])
    assert made.raw_users == ("", "5", "6", "7", "8")
    assert np.diff(made.sequences.offsets).tolist() == [26, 11, 11, 11]


def test_gzip_is_read_too(tmp_path: Path) -> None:
    read(tmp_path, SESSIONS)
    packed = tmp_path / "s.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "sessions_train.csv").read_bytes()))
    assert amazon_m2.read("set", packed, tmp_path / "products_train.csv", SIZES).n_users == 4


@pytest.mark.parametrize(
    "items",
    [
        "__import__('os').system('touch {evil}')",
        "['B000000000', __import__('os')]",
        "['B000000000' 'B000000001'",
        "'B000000000'",
        "['B000000000' ... 'B000000001']",
        "['B000000000''B000000001']",
        "",
    ],
)
def test_a_hostile_or_broken_list_is_an_error_with_its_row(tmp_path: Path, items: str) -> None:
    evil = tmp_path / "evil"
    broken = [items.format(evil=evil), ITEMS[0], "UK"]
    with pytest.raises(InputError, match=r"sessions_train\.csv, row 5: prev_items is no list such as"):
        read(tmp_path, [*SESSIONS, broken, session(11)])
    assert not evil.exists()


@pytest.mark.parametrize(
    ("sessions", "products", "message"),
    [
        (SESSIONS, PRODUCTS[1:], r"sessions_train\.csv, row 1: item 'B000000000' is no UK product of products_train"),
        (SESSIONS, [*PRODUCTS, PRODUCTS[3]], r"products_train\.csv, row 51: product 'B000000003' of UK a second time"),
        (SESSIONS[:3], PRODUCTS, "set: 3 users can be selected, its protocol takes 4"),
        (SESSIONS, [["B1", "UK", *"123456789", "too many"]], r"products_train\.csv, row 1: 12 fields, expected 11$"),
        (SESSIONS, [*PRODUCTS, ["B1", "UK", "short"]], r"products_train\.csv, row 51: 3 fields, expected 11"),
        (SESSIONS, [*PRODUCTS, ["B1", "DE", "short"]], r"products_train\.csv, row 51: 3 fields, expected 11"),
        (SESSIONS, [*PRODUCTS, product(" ")], r"products_train\.csv, row 51: the id is empty"),
        ([*SESSIONS, session(11)[:2]], PRODUCTS, r"sessions_train\.csv, row 5: 2 fields, expected 3"),
        ([*SESSIONS, []], PRODUCTS, r"sessions_train\.csv, row 5: 0 fields, expected 3"),
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, sessions: list[list[str]], products: list[list[str]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, sessions, products)


def test_other_files_are_refused(tmp_path: Path) -> None:
    sold = write(tmp_path / "p.csv", [HEADER, *PRODUCTS])
    with pytest.raises(InputError, match=r"s\.csv, line 1: no column 'next_item'; found prev_items, locale"):
        amazon_m2.read("set", write(tmp_path / "s.csv", [["prev_items", "locale"]]), sold, SIZES)
    with pytest.raises(InputError, match=r"none\.csv: not a whole CSV file"):
        amazon_m2.read("set", tmp_path / "none.csv", sold, SIZES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"prev_items,next_item,locale\n\xe9,x,UK\n", r"s\.csv: not UTF-8 text; convert the file to UTF-8"),
        (b"prev_items,next_item,locale\n[],x,UK\n\"['B1'\n", r"s\.csv, row 2: bad quotes \(unexpected end of data\)"),
        (b'prev_items,next_item,locale\n"[]"a,x,UK\n', r"s\.csv, row 1: bad quotes \("),
        (b'prev_items,next_item,locale\n"' + b"x\n" * 70_000, r"s\.csv, row 1: bad quotes \(field larger than"),
        (b"prev_items,next_item,locale,locale\n[],x,UK,UK\n", r"s\.csv, line 1: the column 'locale' twice; keep one"),
        (b"", r"s\.csv: the file is empty"),
        (bytes(range(128)) * 3, r"s\.csv, line 1: no column 'locale'; found no text$"),
        (bytes(range(256)) * 3, r"s\.csv: not UTF-8 text; convert the file to UTF-8$"),
    ],
)
def test_what_is_no_csv_file_is_told_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    sold = write(tmp_path / "p.csv", [HEADER, *PRODUCTS])
    (tmp_path / "s.csv").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        amazon_m2.read("set", tmp_path / "s.csv", sold, SIZES)
    assert str(error.value).isprintable()


def test_a_cut_gzip_file_is_told(tmp_path: Path) -> None:
    read(tmp_path, SESSIONS)
    packed = tmp_path / "s.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "sessions_train.csv").read_bytes())[:-9])
    with pytest.raises(InputError, match=r"s\.csv\.gz: not a whole CSV file \(.*\); get it again"):
        amazon_m2.read("set", packed, tmp_path / "products_train.csv", SIZES)
