"""Training prompts of re-rankers: every item but a user's first is an answer among candidates."""

import numpy as np
import numpy.typing as npt

from harness.data.dataset import Ids, Sequences


def next_items(train: Sequences) -> npt.NDArray[np.int64]:
    """Positions in ``train.items`` of all items but each user's first: the answers of the training prompts."""
    return np.setdiff1d(np.arange(len(train.items)), train.offsets[:-1])


def before(train: Sequences, position: int) -> Ids:
    """All items of the user before a position in ``train.items``, oldest first."""
    user = int(np.searchsorted(train.offsets, position, side="right"))
    return train.items[train.offsets[user - 1] : position]


def random_candidates(
    history: Ids, item: int, n_items: int, negatives: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """The item among uniform negatives, none of which stands in the history, shuffled."""
    outside = np.setdiff1d(np.arange(1, n_items + 1), np.append(history, item))
    drawn = generator.choice(outside, size=min(negatives, len(outside)), replace=False)
    return generator.permutation(np.append(drawn, item))


def retrieved_candidates(found: Ids, item: int) -> Ids:
    """What a retriever found, in its order, with the item in the last place if it is not among it."""
    return found if item in found else np.append(found[:-1], np.int32(item))
