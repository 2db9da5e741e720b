"""Delimited text to a table of strings in which every row knows its line; and the checks that name lines."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from harness.data.text import read_lines
from harness.errors import InputError


def read_table(path: Path, delimiter: str, *, quoted: bool, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a delimited file.

    Args:
        path: the file, possibly gzip.
        delimiter: what separates fields.
        quoted: whether fields may stand in double quotes (comma-separated files), or quotes are text.
        columns: the columns' names where the file has no header line.

    Returns:
        All columns as strings, and ``line``, the row's line in the file.

    Raises:
        InputError: no rows, a row with too few or too many fields (its line is named), bad quotes, or a carriage
            return inside a line.
    """
    split = _split_quoted(path, delimiter) if quoted else _split(path, delimiter)
    names = list(columns) if columns else next(split)
    first = 1 if columns else 2
    rows: list[list[str]] = []
    for line, row in enumerate(split, first):
        if len(row) != len(names):
            raise InputError(f"{path}, line {line}: {len(row)} fields, expected {len(names)} ({', '.join(names)})")
        rows.append(row)
    if not rows:
        raise InputError(f"{path}: a header line and no rows")
    if len({*names, "line"}) != len(names) + 1:
        raise InputError(f"{path}, line 1: a column is named twice, or 'line', which is reserved ({', '.join(names)})")
    return pl.DataFrame(
        rows, schema=names, orient="row", schema_overrides=dict.fromkeys(names, pl.String)
    ).with_row_index("line", offset=first)


def _split(path: Path, delimiter: str) -> Iterator[list[str]]:
    """The fields of every line, of whatever length; quotes are text."""
    return (line.split(delimiter) if line else [] for line in _lines(path))


def _split_quoted(path: Path, delimiter: str) -> Iterator[list[str]]:
    """The fields of every line, which may stand in double quotes."""
    reader = csv.reader(_lines(path), delimiter=delimiter, strict=True)
    try:
        for line, row in enumerate(reader, 1):
            if reader.line_num != line:
                raise InputError(f"{path}, line {line}: a quoted field runs over the end of the line; close its quote")
            yield row
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from None


def _lines(path: Path) -> Iterator[str]:
    for number, line in enumerate(read_lines(path), 1):
        if "\r" in line:
            raise InputError(f"{path}, line {number}: a carriage return inside the line; end lines with LF or CR LF")
        yield line


def require_columns(table: pl.DataFrame, names: Sequence[str], path: Path) -> None:
    """Refuse a table in which a column is missing.

    Raises:
        InputError: a column is missing.
    """
    found = [name for name in table.columns if name != "line"]
    if missing := [name for name in names if name not in found]:
        raise InputError(f"{path}, line 1: no column {missing[0]!r}; found {', '.join(found)}")


def require_text(table: pl.DataFrame, names: Sequence[str], path: Path) -> None:
    """Refuse empty fields in these columns.

    Raises:
        InputError: a field is empty; its line is named.
    """
    for name in names:
        if lines := table.filter(pl.col(name).str.strip_chars() == "")["line"].to_list():
            raise InputError(f"{path}, line {lines[0]}: the {name} is empty")


def require_numbers(table: pl.DataFrame, name: str, path: Path) -> None:
    """Refuse a field of this column that is no finite number.

    Raises:
        InputError: a field is none; its line is named.
    """
    bad = table.filter(~pl.col(name).cast(pl.Float64, strict=False).is_finite().fill_null(False))
    for line, value in bad.head(1).select("line", name).iter_rows():
        raise InputError(f"{path}, line {line}: {name} {value!r} is no number")


def require_unique(table: pl.DataFrame, key: Sequence[str], path: Path) -> None:
    """Refuse rows with the same key.

    Raises:
        InputError: two rows have one; their lines are named.
    """
    repeated = table.filter(pl.struct(key).is_duplicated())
    if len(repeated):
        same = repeated.join(repeated.head(1), on=list(key), how="semi")["line"]
        raise InputError(f"{path}, lines {same[0]} and {same[1]}: the same {', '.join(key)} twice; keep one")


def as_whole_numbers(table: pl.DataFrame, name: str, path: Path) -> pl.DataFrame:
    """The table with a column of integers from 0 on.

    Raises:
        InputError: a field is none; its line is named.
    """
    numbers = table.with_columns(pl.col(name).cast(pl.Int64, strict=False).alias("number"))
    bad = numbers.filter(pl.col("number").is_null() | (pl.col("number") < 0))
    if len(bad):
        line, value = bad["line"][0], bad[name][0]
        raise InputError(f"{path}, line {line}: {name} {value!r} is no whole number from 0 on")
    return numbers.drop(name).rename({"number": name})
