"""Small made-up data for tests, and the simplest systems that can be asked about it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.data.dataset import CasePart, Dataset, Sequences, SourceRecord
from harness.outcomes import Outcomes
from harness.seeds import rng
from harness.system import Queries


def dataset(histories: list[list[int]], n_items: int | None = None) -> Dataset:
    """A data set of the given item sequences, users 1, 2, ... in order."""
    items = np.concatenate([np.array(h, dtype=np.int32) for h in histories])
    offsets = np.cumsum([0, *map(len, histories)]).astype(np.int64)
    count = n_items or int(items.max())
    return Dataset(
        name="made-up",
        sequences=Sequences(items, offsets),
        times=None,
        titles=("", *(f"Title {i} (19{50 + i % 50})" for i in range(1, count + 1))),
        raw_items=("", *(f"i{i}" for i in range(1, count + 1))),
        raw_users=("", *(f"u{u}" for u in range(1, len(histories) + 1))),
        sources=(SourceRecord(name="made-up", origin="folder", size_bytes=1, sha256="0" * 64, pinned=False),),
    )


def answered(ranks: list[int], queries: list[int] | None = None, ties: list[int] | None = None) -> Outcomes:
    """Outcomes of queries 1, 2, ... or those given, all asked."""
    rank = np.array(ranks)
    query = np.array(queries) if queries else np.arange(1, len(ranks) + 1)
    return Outcomes(query, rank, np.array(ties) if ties else np.zeros_like(rank), np.ones(len(ranks), dtype=bool))


def case_set(histories: list[list[int]], parts: Sequence[CasePart], n_items: int | None = None) -> Dataset:
    """A case set of the given item sequences, the answers last; ``parts`` has one for each user."""
    return replace(dataset(histories, n_items), parts=("", *parts))


def random_histories(users: int, items: int, seed: int = 1, longest: int = 12) -> list[list[int]]:
    """Histories of 5 to ``longest`` distinct items."""
    generator = rng(seed, "histories")
    return [(generator.permutation(items)[: generator.integers(5, longest + 1)] + 1).tolist() for _ in range(users)]


def prepared_folder(folder: Path, histories: list[list[int]]) -> Path:
    """Write histories as a user's own prepared folder."""
    folder.mkdir(parents=True)
    rows = ["user\tpos\titem\tsplit"]
    for user, history in enumerate(histories, start=1):
        parts = ["train"] * (len(history) - 2) + ["val", "test"]
        rows += [f"{user}\t{pos}\t{item}\t{part}" for pos, (item, part) in enumerate(zip(history, parts, strict=True))]
    (folder / "interactions.tsv").write_text("\n".join(rows) + "\n")
    items = sorted({item for history in histories for item in history})
    titles = [f"{item}\tr{item}\tFilm Number {item} (19{50 + item % 50})" for item in items]
    (folder / "items.tsv").write_text("\n".join(["item\traw_id\ttitle", *titles]) + "\n")
    return folder


def constant(queries: Queries, n_items: int) -> Tensor:
    """The same score for everything."""
    return torch.zeros(len(queries), n_items + 1)
