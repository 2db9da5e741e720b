"""From tables with the source's ids to a Dataset with dense ids: filter, number, order."""

import numpy as np
import polars as pl

from harness.data.dataset import Dataset, Sequences
from harness.data.filters import iterated_core
from harness.errors import InputError


def from_raw(name: str, interactions: pl.DataFrame, items: pl.DataFrame) -> Dataset:
    """LlamaRec's preprocessing (section 4.0.2): untitled items go first, then the iterated 5-core.

    Args:
        name: the data set's name.
        interactions: columns ``user``, ``item`` (strings) and ``time`` (integers).
        items: columns ``item``, ``title`` and further text fields; one row an item.

    Raises:
        InputError: no user is left.
    """
    titled = items.filter(pl.col("title").str.strip_chars() != "")
    kept = iterated_core(interactions.join(titled, on="item", how="semi"))
    if kept.is_empty():
        raise InputError(
            f"{name}: none of {len(interactions)} interactions is left by the 5-core filter; "
            "every user and every titled item needs at least 5"
        )
    return assemble(name, kept, titled.join(kept, on="item", how="semi"))


def assemble(name: str, interactions: pl.DataFrame, items: pl.DataFrame) -> Dataset:
    """Number users and items from 1 in the order of their raw ids, and put each user's items in order.

    A user's interactions are ordered by time, then item id. The authors of LlamaRec break ties by ids
    that come from Python's set order; here they follow the raw ids.

    Args:
        name: the data set's name.
        interactions: columns ``user``, ``item`` (strings) and ``time`` (integers); all items are in ``items``.
        items: columns ``item``, ``title`` and further text fields; one row an item.
    """
    users = _numbered("user", interactions["user"])
    catalogue = _numbered("item", items["item"]).join(items, on="item").sort("item:id")
    rows = (
        interactions.select("user", "item", "time")
        .join(users, on="user")
        .join(catalogue.select("item", "item:id"), on="item")
        .sort("user:id", "time", "item:id")
    )
    lengths = np.bincount(rows["user:id"].to_numpy(), minlength=len(users) + 1)[1:]
    texts = {column: ("", *catalogue[column]) for column in items.columns if column != "line"}
    return Dataset(
        name=name,
        sequences=Sequences(
            items=rows["item:id"].to_numpy().astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ),
        times=rows["time"].to_numpy().astype(np.int64),
        raw_users=("", *users["user"]),
        raw_items=texts.pop("item"),
        titles=texts.pop("title"),
        fields=texts,
        sources=(),
    )


def _numbered(column: str, raw: pl.Series) -> pl.DataFrame:
    """Columns ``column`` (unique raw ids, sorted; as numbers where all are) and ``<column>:id`` from 1."""
    ids = pl.DataFrame({column: raw.unique()})
    number = pl.col(column).cast(pl.Int64, strict=False)
    numeric = ids[column].str.contains(r"^\d{1,18}$").all()
    ordered = ids.sort(number, column) if numeric else ids.sort(column)
    return ordered.with_row_index(f"{column}:id", offset=1)
