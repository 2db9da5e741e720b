import gzip
from pathlib import Path

import pytest

from harness.data.table import (
    as_whole_numbers,
    read_table,
    require_columns,
    require_numbers,
    require_text,
    require_unique,
)
from harness.errors import InputError


def table(tmp_path: Path, content: bytes, delimiter: str = ",", quoted: bool = True, name: str = "t.csv", **columns):
    (tmp_path / name).write_bytes(content)
    return read_table(tmp_path / name, delimiter, quoted=quoted, **columns)


def test_quotes_windows_ends_and_byte_order_mark(tmp_path: Path) -> None:
    read = table(tmp_path, b'\xef\xbb\xbfid,title\r\n1,"Good, ""the"" Bad"\r\n2,\xc3\xa9\r\n')
    assert read.rows() == [(2, "1", 'Good, "the" Bad'), (3, "2", "é")]
    assert read.columns == ["line", "id", "title"]


def test_quotes_are_text_in_an_unquoted_file(tmp_path: Path) -> None:
    assert table(tmp_path, b'id\ttitle\n1\t"x" y\n', "\t", quoted=False).rows() == [(2, "1", '"x" y')]


def test_an_unquoted_field_may_be_of_any_length(tmp_path: Path) -> None:
    long = "x" * 200_000
    assert table(tmp_path, f"id\tabstract\n1\t{long}\n".encode(), "\t", quoted=False).rows() == [(2, "1", long)]


@pytest.mark.parametrize("quoted", [True, False])
def test_a_carriage_return_inside_a_line_is_told(tmp_path: Path, quoted: bool) -> None:
    for content, line in ((b"a,b\n1,2\n3,x\ry\n", 3), (b"a,b\r1,2\r", 1)):
        with pytest.raises(
            InputError, match=rf"t\.csv, line {line}: a carriage return inside the line; end lines with"
        ):
            table(tmp_path, content, quoted=quoted)


def test_a_file_without_header_counts_from_line_1(tmp_path: Path) -> None:
    assert table(tmp_path, b"a,b\n", columns=("x", "y")).rows() == [(1, "a", "b")]


def test_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n1\n")
    assert table(tmp_path, packed, name="t.csv.gz").rows() == [(2, "1")]
    with pytest.raises(InputError, match="not a whole gzip file"):
        table(tmp_path, packed[:-6], name="t.csv.gz")
    with pytest.raises(InputError, match="not a whole gzip file"):
        table(tmp_path, b"a\n1\n", name="t.csv.gz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n", "the file is empty"),
        (b"a,b\n", "a header line and no rows"),
        (b"a,b\n1,2\n3\n", r"t\.csv, line 3: 1 fields, expected 2 \(a, b\)"),
        (b"a,b\n1,2\n3,4\n5,6,7\n", "line 4: 3 fields, expected 2"),
        (b"a,b\n\n1,2\n", "line 2: 0 fields, expected 2"),
        (b"a,b\n1,caf\xe9\n", "line 2: not UTF-8"),
        (b'a,b\n1,"2\n3"\n', "line 2: a quoted field runs over the end of the line"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "line"),
        (b'a,b\n1,"2"3\n', "line 2"),
        (b"a,a\n1,2\n", "line 1: a column is named twice"),
    ],
)
def test_bad_files_name_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        table(tmp_path, content)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="must be a file that can be read"):
            read_table(path, ",", quoted=True)


def test_missing_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1: no column 'c'; found a, b"):
        require_columns(table(tmp_path, b"a,b\n1,2\n"), ["a", "c"], Path("t.csv"))


def test_empty_field(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3: the b is empty"):
        require_text(table(tmp_path, b"a,b\n1,2\n1, \n"), ["a", "b"], Path("t.csv"))


def test_a_key_that_stands_twice_names_both_lines(tmp_path: Path) -> None:
    read = table(tmp_path, b"a,b\n1,2\n1,3\n2,3\n1,3\n")
    require_unique(read.head(3), ["a", "b"], Path("t.csv"))
    with pytest.raises(InputError, match="lines 3 and 5: the same a, b twice"):
        require_unique(read, ["a", "b"], Path("t.csv"))


@pytest.mark.parametrize("value", ["-1", "x", "", "1.5", "1e9", "99999999999999999999"])
def test_numbers_that_are_none(tmp_path: Path, value: str) -> None:
    read = table(tmp_path, f"a,time\n1,0\n2,{value}\n".encode())
    with pytest.raises(InputError, match=rf"line 3: time '{value}' is no whole number from 0 on"):
        as_whole_numbers(read, "time", Path("t.csv"))


def test_numbers(tmp_path: Path) -> None:
    assert as_whole_numbers(table(tmp_path, b"t\n0\n12\n"), "t", Path("t.csv"))["t"].to_list() == [0, 12]


@pytest.mark.parametrize("value", ["", "five", "NaN", "inf", "4 5"])
def test_a_rating_that_is_no_number(tmp_path: Path, value: str) -> None:
    read = table(tmp_path, f"a,b\n1,4.5\n2,{value}\n".encode())
    with pytest.raises(InputError, match=f"line 3: b '{value}' is no number"):
        require_numbers(read, "b", Path("t.csv"))
