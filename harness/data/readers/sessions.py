"""The Amazon sets of 2018 as published for session recommendation: items.jsonl and sessions.tsv, item ids from 0."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from harness.data.cases import Sizes, assemble_cases, assign, by_hash
from harness.data.dataset import Dataset
from harness.data.table import read_table, require_columns, require_text, require_unique
from harness.data.text import read_lines
from harness.errors import InputError

TEXTS = ("title", "description", "brand", "categories")
SPLITS = ("valid", "test")
SHORTEST = 6  # a history of at least so many items has two blocks of five to summarise


def read(name: str, items: Path, sessions: Path, sizes: Sizes) -> Dataset:
    """Histories of 6 items and more, one case a user: the last of the user's rows.

    The rows of a user overlap, the answer of one standing in the history of the next; one case a user keeps every
    held-out answer out of what is learnt from. Users with a row ``test`` are tested. The others, ordered by the sha256
    of their id, train, and the last of them validate.

    Args:
        name: the data set's name.
        items: one JSON object a line: item (a whole number), title, description, brand, categories.
        sessions: split (``valid`` or ``test``), user, history (item ids, oldest first), target.
        sizes: of the parts; they must be what the files hold.

    Raises:
        InputError: a bad line (it is named), an unknown item, or other numbers of users than ``sizes``.
    """
    catalogue = _read_items(items)
    rows = _read_sessions(sessions, items, catalogue)
    of_test = rows.filter(pl.col("split") == "test")
    others = rows.join(of_test, on="user", how="anti")
    long = pl.concat([others, of_test]).filter(pl.col("items").list.len() > SHORTEST)
    cases = long.unique("user", keep="last", maintain_order=True)
    untested, tested = (cases.filter(pl.col("split") == split)["user"].to_list() for split in SPLITS)
    if (len(untested), len(tested)) != (sizes.train + sizes.validation, sizes.test):
        expected = f"expected {sizes.train + sizes.validation} and {sizes.test}"
        raise InputError(f"{name}: {len(untested)} users to train on and {len(tested)} to test, {expected}")
    dataset = assemble_cases(name, cases, assign(name, [*by_hash(untested), *tested], sizes), catalogue)
    repeated = rows.filter(pl.col("items").list.head(pl.col("items").list.len() - 1).list.contains(pl.col("target")))
    note = f"{len(repeated)} of {len(rows)} rows, taken or not, have a target that stands in its own history"
    return replace(dataset, notes=(*dataset.notes, note))


def _read_items(path: Path) -> pl.DataFrame:
    """Columns ``item`` and the texts, all strings."""
    rows = []
    for line, text in enumerate(read_lines(path), 1):
        try:
            row = json.loads(text)
        except ValueError:
            row = None
        if (
            not isinstance(row, dict)
            or type(row.get("item")) is not int
            or not all(isinstance(row.get(key), str) for key in TEXTS)
        ):
            raise InputError(
                f"{path}, line {line}: expected a JSON object with a whole number 'item' and texts {', '.join(TEXTS)}"
            )
        rows.append({"line": line, "item": str(row["item"])} | {key: row[key] for key in TEXTS})
    table = pl.DataFrame(rows)
    require_unique(table, ["item"], path)
    return table.drop("line")


def _read_sessions(path: Path, items: Path, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Columns ``line``, ``split``, ``user``, ``target`` and ``items``: the history, then the target."""
    rows = read_table(path, "\t", quoted=False)
    require_columns(rows, ["split", "user", "history", "target"], path)
    require_text(rows, ["user", "history", "target"], path)
    for line, split in rows.filter(~pl.col("split").is_in(SPLITS)).head(1).select("line", "split").iter_rows():
        raise InputError(f"{path}, line {line}: split {split!r}; expected {' or '.join(SPLITS)}")
    rows = rows.with_columns(items=pl.concat_list(pl.col("history").str.extract_all(r"\S+"), "target"))
    unknown = rows.explode("items").join(catalogue, left_on="items", right_on="item", how="anti").sort("line")
    for line, item in unknown.head(1).select("line", "items").iter_rows():
        raise InputError(f"{path}, line {line}: item {item!r} is not in {items.name}")
    return rows
