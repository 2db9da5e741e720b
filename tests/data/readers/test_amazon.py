import gzip
import json
from pathlib import Path

import pytest

from harness.data.readers import amazon
from harness.errors import InputError

ITEMS = ("0123456789", "B01", "B02", "B03", "B04")
RATINGS = "".join(f"A{user},{item},5.0,{day}\n" for user in range(5) for day, item in enumerate(reversed(ITEMS)))


def read(folder: Path, metadata: list[str], ratings: str = RATINGS):
    (folder / "r.csv").write_text(ratings)
    (folder / "m.json.gz").write_bytes(gzip.compress("\n".join(metadata).encode()))
    return amazon.read("set", folder / "r.csv", folder / "m.json.gz")


def test_json_lines_and_python_literals(tmp_path: Path) -> None:
    literals = [repr({"asin": item, "title": f"It's &amp; {item}", "related": {"also": [item]}}) for item in ITEMS[:3]]
    lines = [json.dumps({"asin": item, "title": f'"{item}"', "price": None, "ok": True}) for item in ITEMS[3:]]
    made = read(tmp_path, [*literals, *lines, '{"asin": "B05"}'], RATINGS + "A0,B05,1.0,9\n")
    assert made.raw_items == ("", *ITEMS)
    assert made.titles == ("", *(f"It's &amp; {item}" for item in ITEMS[:3]), '"B03"', '"B04"')
    assert made.sequences[1].tolist() == [5, 4, 3, 2, 1]
    assert made.raw_users[1] == "A0"


def test_the_last_title_counts_and_no_title_is_none(tmp_path: Path) -> None:
    lines = [{"asin": "x", "title": "one"}, {"asin": "x", "title": " two "}, {"asin": "y", "title": ""}, {"asin": "z"}]
    (tmp_path / "m.json").write_text("\n".join(map(json.dumps, lines)) + "\n")
    assert amazon.read_titles(tmp_path / "m.json") == {"x": "two"}


@pytest.mark.parametrize(
    "line",
    [
        "__import__('os').system('touch {evil}')",
        "{{'asin': 'x', 'title': __import__('os').system('touch {evil}')}}",
        "{{'asin': 'x', 'title': open('{evil}', 'w')}}",
        "[{{'asin': 'x'}}]",
        "{{'title': 'no asin'}}",
        "{{'asin': 'x', 'title': 'cut of",
        "",
        "(" * 5000,
        "[" * 100_000,
        "-" * 100_000 + "1",
    ],
)
def test_a_hostile_or_broken_line_is_an_error_with_its_number(tmp_path: Path, line: str) -> None:
    evil = tmp_path / "evil"
    (tmp_path / "m.json").write_text('{"asin": "a", "title": "t"}\n' + line.format(evil=evil) + '\n{"asin": "b"}\n')
    with pytest.raises(InputError, match=r"m\.json, line 2: expected an object with the key 'asin'"):
        amazon.read_titles(tmp_path / "m.json")
    assert not evil.exists()


def test_a_bad_rating_names_its_line(tmp_path: Path) -> None:
    metadata = [json.dumps({"asin": item, "title": item}) for item in ITEMS]
    for row, message in (
        ("A0,B01,5.0", "line 26: 3 fields, expected 4"),
        ("A0,B01,5.0,-1", "line 26: time '-1'"),
        ("A0,B04,1.0,0", "lines 1 and 26: the same user, item, time twice"),
    ):
        with pytest.raises(InputError, match=rf"r\.csv, {message}"):
            read(tmp_path, metadata, RATINGS + row + "\n")
