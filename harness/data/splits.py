"""What of a data set is learnt from and what is asked: by leaving each user's last items out, or by whole cases."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.dataset import Dataset, Ids, Sequences
from harness.errors import InputError


@dataclass(frozen=True)
class Split:
    """What systems may learn from, and the targets that only the task sees.

    Attributes:
        train: every user's items but held-out targets.
        train_times: their times, in seconds since 1970; None where the source has none.
        validation: each user's validation target, 0 for a user without one, shape [user].
        test: each user's test target, likewise.
        cases: ids of the users whose last training item is an answer to the training items before it, shape [case].
    """

    train: Sequences
    train_times: npt.NDArray[np.int64] | None
    validation: Ids
    test: Ids
    cases: npt.NDArray[np.int64]


def split_of(dataset: Dataset) -> Split:
    """By the cases' parts where the data set has them, else leave-one-out.

    Raises:
        InputError: a user has too few items.
    """
    return leave_one_out(dataset) if dataset.parts is None else by_case(dataset)


def leave_one_out(dataset: Dataset) -> Split:
    """Split every user's sequence into train items, one validation target and one test target.

    It is the split of LlamaRec (section 4.0.2) and lets other users' later interactions into training.

    Raises:
        InputError: a user has fewer than three items.
    """
    lengths = _lengths(dataset, 3, "leave-one-out needs at least 3 (one to train on, one validation, one test)")
    ends, items = dataset.sequences.offsets[1:], dataset.sequences.items
    held_out = np.concatenate([ends - 1, ends - 2])
    train, times = _without(dataset, held_out)
    return Split(train, times, items[ends - 2], items[ends - 1], cases=np.flatnonzero(lengths - 2 >= 2) + 1)


def by_case(dataset: Dataset) -> Split:
    """Split a case set: whole sequences of its train users, the histories alone of all others.

    A recommender by item id so reads every history, but never a validation or test target in its case (LLM-TRSR leaves
    open what its baselines read).

    Raises:
        InputError: a user has fewer than two items.
    """
    _lengths(dataset, 2, "a case needs at least 2 (a history and its answer)")
    assert dataset.parts is not None
    part, answer = np.array(dataset.parts[1:]), dataset.sequences.offsets[1:] - 1
    targets = dataset.sequences.items[answer]
    train, times = _without(dataset, answer[part != "train"])
    validation, test = (np.where(part == name, targets, 0).astype(np.int32) for name in ("validation", "test"))
    return Split(train, times, validation, test, cases=np.flatnonzero(part == "train") + 1)


def _lengths(dataset: Dataset, least: int, why: str) -> npt.NDArray[np.int64]:
    """How many items each user has, shape [user]."""
    lengths = np.diff(dataset.sequences.offsets)
    if len(lengths) and lengths.min() < least:
        user = int(lengths.argmin()) + 1
        raise InputError(f"{dataset.name}: user {dataset.raw_users[user]} has {lengths.min()} items; {why}")
    return lengths


def _without(dataset: Dataset, held_out: npt.NDArray[np.int64]) -> tuple[Sequences, npt.NDArray[np.int64] | None]:
    """All interactions, and their times, but those at the given places."""
    sequences = dataset.sequences
    keep = np.ones(len(sequences.items), dtype=bool)
    keep[held_out] = False
    offsets = np.concatenate([[0], np.cumsum(keep)])[sequences.offsets].astype(np.int64)
    return Sequences(sequences.items[keep], offsets), None if dataset.times is None else dataset.times[keep]
