"""What a reader returns: interactions in time order, items with their texts, and where they came from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.config import Strict

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
CasePart = Literal["", "train", "validation", "test"]


class SourceRecord(Strict):
    """One file that was read.

    Attributes:
        name: file name, relative to the data set's folder.
        origin: where the bytes came from: ``url``, ``wheel``, ``hub``, ``mirror`` or ``folder``.
        size_bytes: length of the file.
        sha256: digest of the bytes that were read.
        pinned: whether the digest is one that the harness knew beforehand.
    """

    name: str
    origin: str
    size_bytes: int
    sha256: str
    pinned: bool


def digests(sources: Iterable[SourceRecord]) -> dict[str, str]:
    """File name -> sha256: what tells whether two runs read the same data."""
    return {source.name: source.sha256 for source in sources}


@dataclass(frozen=True)
class Sequences:
    """Every user's items, oldest first, one after the other.

    Attributes:
        items: item ids, shape [interaction].
        offsets: where each user's items begin, shape [user + 1]; user ``u`` (from 1) owns
            ``items[offsets[u - 1] : offsets[u]]``.
    """

    items: Ids
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> Ids:
        """Items of ``user`` (ids from 1), oldest first."""
        if not 1 <= user <= len(self):
            raise IndexError(f"user {user} of {len(self)}")
        return self.items[self.offsets[user - 1] : self.offsets[user]]

    def __iter__(self) -> Iterator[Ids]:
        return (self[user] for user in range(1, len(self) + 1))


@dataclass(frozen=True)
class Dataset:
    """A data set with dense ids from 1; index 0 of every per-user or per-item table is padding.

    Attributes:
        name: the harness's name of the set, or the folder's name for a user's own.
        sequences: all interactions, users by id, each user's in time order.
        times: seconds since 1970 of each interaction in ``sequences.items``, or None where the source has none.
        titles: raw titles, index = item id.
        fields: further text fields of the items by name, index = item id.
        raw_items, raw_users: ids in the source, index = id.
        sources: the files that were read.
        notes: things worth telling with a result (an unpinned file, a fallback).
        parts: of a *case set*, where every user is one case (a history, and the last item as its answer): the part that
            each user belongs to, index = user id, "" at 0. None: every user is asked, by leaving items out.
    """

    name: str
    sequences: Sequences
    times: npt.NDArray[np.int64] | None
    titles: tuple[str, ...]
    raw_items: tuple[str, ...]
    raw_users: tuple[str, ...]
    sources: tuple[SourceRecord, ...]
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    parts: tuple[CasePart, ...] | None = None

    @property
    def n_users(self) -> int:
        """Users, whose ids are 1..n_users."""
        return len(self.sequences)

    @property
    def n_items(self) -> int:
        """Items, whose ids are 1..n_items."""
        return len(self.titles) - 1

    @property
    def n_interactions(self) -> int:
        """Interactions of all users."""
        return len(self.sequences.items)
