"""Interactions of a user with one timestamp: the data does not say in which order they came, so a protocol must."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness.config import SameTime
from harness.data.dataset import Dataset, Sequences
from harness.errors import InputError
from harness.seeds import rng


def order_ties(dataset: Dataset, same_time: SameTime, seed: int) -> Dataset:
    """Put interactions of the same user and time into an order; every reader leaves them in that of their items.

    LlamaRec's authors sort by time, then by item ids that come from Python's set order (their code, not the paper).

    Args:
        dataset: as a reader returns it.
        same_time: ``item`` changes nothing; ``item-reversed``; or ``shuffled``, drawn from ``rng(seed, "same time")``.
        seed: the run's.

    Returns:
        The data set; where the order was changed, with a note of how many users' last item depends on it.

    Raises:
        InputError: another order than ``item`` is asked of a set without timestamps.
    """
    if same_time == "item":
        return dataset
    if dataset.times is None:
        raise InputError(
            f"{dataset.name}: has no timestamps, so task.same_time={same_time} means nothing; leave it at 'item'"
        )
    sequences = dataset.sequences
    user = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    key = -sequences.items if same_time == "item-reversed" else rng(seed, "same time").random(len(user))
    items = sequences.items[np.lexsort((key, dataset.times, user))]
    tied = tied_ends(sequences, dataset.times)
    note = f"same_time={same_time}: the last item of {tied} of {len(sequences)} users depends on it"
    return replace(dataset, sequences=Sequences(items, sequences.offsets), notes=(*dataset.notes, note))


def tied_ends(sequences: Sequences, times: npt.NDArray[np.int64]) -> int:
    """How many users' last interaction has the time of the one before it, so that the test target depends on the order.

    Args:
        sequences: of the users.
        times: of their interactions, shape [interaction].
    """
    ends = sequences.offsets[1:]
    several = ends[np.diff(sequences.offsets) > 1]
    return int((times[several - 1] == times[several - 2]).sum())
