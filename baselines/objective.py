"""The loss of a sequence system, a choice apart from its network: over the whole catalogue, or over drawn negatives.

Shapes: N items that a batch asks for, d width, V items.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from baselines import losses
from baselines.packed import rows
from harness.config import Settings

Loss = Literal["cross-entropy", "sampled-softmax", "bce", "gbce"]


class LossConfig(Settings):
    """Which loss; it decides more than the network (gSASRec, Petrov and Macdonald 2023).

    Attributes:
        loss: ``cross-entropy`` is over the whole catalogue, the others over the target and its negatives.
        negatives: drawn for every target, uniformly from the items outside its window; unused by ``cross-entropy``.
        calibration: of ``gbce`` (gSASRec's t).
    """

    loss: Loss = "cross-entropy"
    negatives: int = Field(1, ge=1)
    calibration: float = Field(0.75, ge=0, le=1)


@dataclass(frozen=True)
class Asked:
    """The items that a batch of windows asks for, and what the network knows where it is asked.

    Attributes:
        features: shape [N, d].
        target: item ids, shape [N].
        place: index of each among the flattened ``places`` last positions of all windows, shape [N].
        places: positions of a window at which an item may be asked for.
    """

    features: Tensor
    target: Tensor
    place: Tensor
    places: int

    def at(self, index: Tensor) -> "Asked":
        """Those at ``index`` alone, shape [M]."""
        return Asked(rows(self.features, index), self.target[index], self.place[index], self.places)


def loss_of(
    asked: Asked,
    windows: Tensor,
    item_vectors: Tensor,
    bias: Tensor | None,
    settings: LossConfig,
    random: np.random.Generator,
) -> Tensor:
    """The chosen loss, a mean over what is asked.

    Args:
        asked: targets and features.
        windows: item ids, left-padded with 0, shape [window, time].
        item_vectors: shape [V, d].
        bias: of each item's score, shape [V], or None for none.
        settings: the choice.
        random: draws the negatives.
    """
    features, target = asked.features, asked.target - 1
    if settings.loss == "cross-entropy":
        return losses.linear_cross_entropy(features, item_vectors, bias, target)
    drawn = negatives(windows.numpy(), len(item_vectors), (asked.places, settings.negatives), random)
    sampled = torch.from_numpy(drawn - 1).to(target.device).flatten(0, 1)[asked.place]  # [N, negative]
    positive = (features * rows(item_vectors, target)).sum(1)
    negative = (features[:, None] * rows(item_vectors, sampled)).sum(2)
    if bias is not None:
        positive, negative = positive + bias[target], negative + bias[sampled]
    if settings.loss == "sampled-softmax":
        return losses.sampled_softmax(positive, negative)
    beta = 1.0
    if settings.loss == "gbce":
        beta = losses.gbce_beta(settings.negatives, len(item_vectors), settings.calibration)
    return losses.binary_cross_entropy(positive, negative, beta)


def negatives(
    windows: npt.NDArray[np.int64], n_items: int, shape: tuple[int, int], random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Items for every window, uniform over those outside it.

    Args:
        windows: item ids, left-padded with 0, shape [window, time].
        n_items: items have the ids 1..n_items.
        shape: of what is drawn for a window: its places, and the negatives of each.
        random: what draws.

    Returns:
        Item ids, shape [window, place, negative].
    """
    seen = np.zeros((len(windows), n_items + 1), dtype=bool)
    np.put_along_axis(seen, windows, True, axis=1)
    seen[seen[:, 1:].all(1)] = False  # a window of all items leaves nothing to draw from: any item will do
    drawn = random.integers(1, n_items + 1, (len(windows), *shape))
    while (clash := seen[np.arange(len(windows))[:, None, None], drawn]).any():
        drawn[clash] = random.integers(1, n_items + 1, int(clash.sum()))
    return drawn
