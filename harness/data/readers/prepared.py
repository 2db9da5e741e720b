"""A prepared folder, the format in which users bring their own data.

``interactions.tsv[.gz]``: user, pos, item, split, where a user's last item is ``test``, the one before it ``val``,
all earlier ones ``train``. ``items.tsv[.gz]``: item, title, optionally raw_id and further text fields.
``users.tsv[.gz]``, optional: user, raw_id.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from harness.data.assemble import assemble
from harness.data.dataset import Dataset
from harness.data.table import as_whole_numbers, read_table, require_columns, require_text, require_unique
from harness.errors import InputError


def find_files(folder: Path) -> list[Path]:
    """The paths of interactions, items and, where there is one, users.

    Raises:
        InputError: the folder lacks one of the first two.
    """
    found = []
    for stem in ("interactions", "items", "users"):
        plain, packed = folder / f"{stem}.tsv", folder / f"{stem}.tsv.gz"
        if plain.exists() or packed.exists():
            found.append(plain if plain.exists() else packed)
        elif stem != "users":
            raise InputError(f"{folder}: no {plain.name} or {packed.name}; a prepared folder holds it")
    return found


def read(name: str, interactions: Path, items: Path, users: Path | None = None) -> Dataset:
    """Read a prepared folder's files; nothing is filtered, and items that nobody chose stay in the catalogue.

    Raises:
        InputError: a missing column, a bad row (its line is named), an unknown item, a user with fewer
            than three items, or a split that is no leave-one-out.
    """
    rows = _read_interactions(interactions)
    catalogue = _read_with_ids(items, "item", ["title"])
    unknown = rows.join(catalogue, on="item", how="anti").sort("line").head(1)
    for line, item in unknown.select("line", "item").iter_rows():
        raise InputError(f"{interactions}, line {line}: item {item!r} is not in {items.name}")
    dataset = assemble(name, rows.select("user", "item", time="pos"), catalogue)
    fields = dict(dataset.fields)
    raw_items = fields.pop("raw_id", dataset.raw_items)
    raw_users = _raw_users(users, dataset.raw_users) if users else dataset.raw_users
    return replace(dataset, times=None, fields=fields, raw_items=raw_items, raw_users=raw_users)


def _read_with_ids(path: Path, key: str, needed: list[str]) -> pl.DataFrame:
    table = read_table(path, "\t", quoted=False)
    require_columns(table, [key, *needed], path)
    require_text(table, [key, *needed], path)
    require_unique(table, [key], path)
    return table


def _raw_users(path: Path, users: tuple[str, ...]) -> tuple[str, ...]:
    table = _read_with_ids(path, "user", ["raw_id"])
    raw: Mapping[str, str] = dict(zip(table["user"], table["raw_id"], strict=True))
    if missing := next((user for user in users[1:] if user not in raw), None):
        raise InputError(f"{path}: user {missing!r} of the interactions is not in it")
    return ("", *(raw[user] for user in users[1:]))


def _read_interactions(path: Path) -> pl.DataFrame:
    rows = read_table(path, "\t", quoted=False)
    require_columns(rows, ["user", "pos", "item", "split"], path)
    require_text(rows, ["user", "item"], path)
    rows = as_whole_numbers(rows, "pos", path)
    require_unique(rows, ["user", "pos"], path)
    left = pl.len().over("user") - pl.col("pos").rank("ordinal").over("user")
    expected = pl.when(left == 0).then(pl.lit("test")).when(left == 1).then(pl.lit("val")).otherwise(pl.lit("train"))
    rows = rows.with_columns(expected=expected, length=pl.len().over("user"))
    short = rows.filter(pl.col("length") < 3).head(1)
    for line, user, length in short.select("line", "user", "length").iter_rows():
        raise InputError(f"{path}, line {line}: user {user!r} has {length} items, at least 3 are needed")
    wrong = rows.filter(pl.col("split") != pl.col("expected")).head(1)
    for line, user, split, right in wrong.select("line", "user", "split", "expected").iter_rows():
        raise InputError(
            f"{path}, line {line}: user {user!r} has split {split!r} here, expected {right!r} "
            "(by pos: train, then one val, then one test)"
        )
    return rows.drop("expected", "length")
