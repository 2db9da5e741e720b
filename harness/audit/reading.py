"""Published numbers from a long CSV, one number a line."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from harness.audit.published import Column, Published
from harness.data import table as tables
from harness.data.text import read_lines
from harness.errors import InputError
from harness.metrics import METRICS, Place

COLUMNS = ("paper", "table", "dataset", "method", "metric", "k", "value")
KEY = COLUMNS[:-1]
USERS = "users"
CUTOFF = re.compile("[1-9][0-9]{0,3}")
USER_COUNT = re.compile("[1-9][0-9]{0,8}")
SHARE = re.compile(r"[0-9]{0,9}\.[0-9]{1,50}|[0-9]{1,9}")


def read_csv(path: Path) -> list[Published]:
    """Read a file with the columns paper, table, dataset, method, metric, k, value and, optionally, users.

    Returns:
        One for each paper, in the file's order. A line that repeats another changes nothing.

    Raises:
        InputError: the line and what is wrong with it: other columns, an unknown metric, a value that is no share
            between 0 and 1 in plain decimals, a cut-off or number of users that is no such whole number, two values
            for one cell, or two numbers of users for one set of a table.
    """
    rows = _rows(path)
    users = _users(rows, path)
    numbers: dict[tuple[str, str, str, str], dict[Place, str]] = {}
    seen: dict[tuple[str, ...], tuple[int, str]] = {}
    for row in rows:
        where = f"{path}, line {row['line']}"
        key = tuple(row[name] for name in KEY)
        _check(row, where)
        line, value = seen.setdefault(key, (row["line"], row["value"]))
        if value != row["value"]:
            raise InputError(f"{path}, lines {line} and {row['line']}: {' '.join(key)} is {value} and {row['value']}")
        paper, table, dataset, method, metric, k = key
        numbers.setdefault((paper, table, dataset, method), {})[Place(metric, int(k))] = value
    columns: dict[str, list[Column]] = {}
    for (paper, table, dataset, method), printed in numbers.items():
        column = Column(table, dataset, method, users.get((paper, table, dataset)), printed)
        columns.setdefault(paper, []).append(column)
    return [Published(paper, tuple(own)) for paper, own in columns.items()]


def _rows(path: Path) -> list[dict[str, Any]]:
    header = read_lines(path)[0]
    if "," not in header and ";" in header:
        raise InputError(f"{path}, line 1: columns stand apart by ';'; expected ',' (and points in numbers)")
    frame = tables.read_table(path, ",", quoted=True)
    tables.require_columns(frame, COLUMNS, path)
    if unknown := set(frame.columns) - {*COLUMNS, USERS, "line"}:
        raise InputError(f"{path}, line 1: column {min(unknown)!r} is unknown; known: {', '.join((*COLUMNS, USERS))}")
    stripped = frame.with_columns(pl.col(name).str.strip_chars() for name in frame.columns if name != "line")
    tables.require_text(stripped, COLUMNS, path)
    return stripped.to_dicts()


def _check(row: dict[str, Any], where: str) -> None:
    """Refuse a metric, cut-off or value that is none."""
    value = row["value"]
    if row["metric"] not in METRICS:
        raise InputError(f"{where}: metric {row['metric']!r} is unknown; known: {', '.join(METRICS)}")
    if not CUTOFF.fullmatch(row["k"]):
        raise InputError(f"{where}: k {row['k']!r} is no whole number from 1 to 9999")
    if "%" in value:
        raise InputError(f"{where}: value {value!r} is in percent; write it as a share, 0.0544 for 5.44%")
    if "," in value:
        raise InputError(f"{where}: value {value!r} has a comma; write a point, as in 0.0544")
    if not SHARE.fullmatch(value):
        raise InputError(f"{where}: value {value!r} is no plain decimal number, as in 0.0544")
    if Fraction(value) > 1:
        raise InputError(f"{where}: value {value} is above 1; metrics are shares (divide percents by 100)")


def _users(rows: list[dict[str, Any]], path: Path) -> dict[tuple[str, str, str], int]:
    """Paper, table and data set -> number of test users, where one is given."""
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    for row in rows:
        text = row.get(USERS, "")
        if not text:
            continue
        if not USER_COUNT.fullmatch(text):
            wrong = f"users {text!r} is no whole number from 1 to 999999999; leave it empty"
            raise InputError(f"{path}, line {row['line']}: {wrong}")
        key = (row["paper"], row["table"], row["dataset"])
        line, other = found.setdefault(key, (row["line"], text))
        if int(other) != int(text):
            raise InputError(
                f"{path}, lines {line} and {row['line']}: {other} and {text} users for {row['dataset']} of one table"
            )
    return {key: int(text) for key, (_, text) in found.items()}
