"""Leave-one-out: a user's last item is the test target, the one before it the validation target."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.dataset import Dataset, Ids, Sequences
from harness.errors import InputError


@dataclass(frozen=True)
class Split:
    """What systems may learn from, and the targets that only the task sees.

    Attributes:
        train: every user's items but the last two.
        train_times: their times, in seconds since 1970; None where the source has none.
        validation: the second last item of each user, shape [user].
        test: the last item of each user, shape [user].
    """

    train: Sequences
    train_times: npt.NDArray[np.int64] | None
    validation: Ids
    test: Ids


def leave_one_out(dataset: Dataset) -> Split:
    """Split every user's sequence into train items, one validation target and one test target.

    It is the split of LlamaRec (section 4.0.2) and lets other users' later interactions into training.

    Raises:
        InputError: a user has fewer than three items.
    """
    sequences = dataset.sequences
    lengths = np.diff(sequences.offsets)
    if len(lengths) and lengths.min() < 3:
        user = int(lengths.argmin()) + 1
        raise InputError(
            f"{dataset.name}: user {dataset.raw_users[user]} has {lengths.min()} items; "
            "leave-one-out needs at least 3 (one to train on, one validation, one test)"
        )
    ends = sequences.offsets[1:]
    keep = np.ones(len(sequences.items), dtype=bool)
    keep[ends - 1] = keep[ends - 2] = False
    offsets = np.concatenate([[0], np.cumsum(lengths - 2)]).astype(np.int64)
    return Split(
        Sequences(sequences.items[keep], offsets),
        None if dataset.times is None else dataset.times[keep],
        validation=sequences.items[ends - 2],
        test=sequences.items[ends - 1],
    )
