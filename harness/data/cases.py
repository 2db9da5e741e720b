"""Case sets: every user is one case, a history and its answer, and belongs to one part."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from harness.config import Strict
from harness.data.assemble import assemble
from harness.data.dataset import CasePart, Dataset
from harness.errors import InputError


class Sizes(Strict):
    """How many cases each part has."""

    train: int
    validation: int
    test: int


def by_hash(users: Sequence[str]) -> list[str]:
    """Raw user ids in the order of their sha256: a shuffle that every machine repeats."""
    return sorted(users, key=lambda user: hashlib.sha256(user.encode()).digest())


def assign(name: str, users: Sequence[str], sizes: Sizes) -> dict[str, CasePart]:
    """The first users train, the next validate, the next are tested; any further ones are left out.

    Args:
        name: the data set's name.
        users: raw ids, in the order that the protocol takes them.
        sizes: of the parts.

    Raises:
        InputError: there are too few users.
    """
    counts: dict[CasePart, int] = {"train": sizes.train, "validation": sizes.validation, "test": sizes.test}
    parts = [part for part, count in counts.items() for _ in range(count)]
    if len(users) < len(parts):
        raise InputError(f"{name}: {len(users)} users can be selected, its protocol takes {len(parts)}")
    return dict(zip(users, parts, strict=False))


def assemble_cases(name: str, cases: pl.DataFrame, parts: dict[str, CasePart], items: pl.DataFrame) -> Dataset:
    """A case set with dense ids; every item stays in the catalogue, whether anyone chose it or not.

    Args:
        name: the data set's name.
        cases: columns ``user`` (raw ids) and ``items`` (lists of raw ids, oldest first, the answer last), one row a
            user; users without a part are left out. All items are in ``items``.
        parts: by raw user id.
        items: columns ``item``, ``title`` and further text fields in the order of the item's text; one row an item.

    Returns:
        The data set, with notes on its histories, its repeated targets and its items without a text.
    """
    chosen = cases.filter(pl.col("user").is_in(list(parts)))
    interactions = chosen.select(
        "user", item="items", time=pl.int_ranges(pl.col("items").list.len(), dtype=pl.Int64)
    ).explode("item", "time")
    dataset = assemble(name, interactions, items)
    by_id: tuple[CasePart, ...] = ("", *(parts[user] for user in dataset.raw_users[1:]))
    return replace(dataset, times=None, parts=by_id, notes=_notes(dataset))


def _notes(dataset: Dataset) -> tuple[str, ...]:
    """What a reader of results should know: mean history, answers that repeat, items without a text."""
    histories = [(items[:-1], items[-1]) for items in dataset.sequences]
    repeated = sum(answer in history for history, answer in histories)
    mean = np.mean([len(history) for history, _ in histories])
    texts = zip(dataset.titles[1:], *(column[1:] for column in dataset.fields.values()), strict=True)
    bare = sum(not "".join(parts).strip() for parts in texts)
    return (
        f"histories hold {mean:.2f} items on average",
        f"{repeated} of {len(histories)} answers stand in their own history",
        *([f"{bare} of {dataset.n_items} items have no text but their id"] if bare else []),
    )
