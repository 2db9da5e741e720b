"""DIN: deep interest network (Zhou et al., KDD 2018).

Shapes: B examples or queries, T history items, C items to judge, d width.
"""

from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.click import ClickConfig, ClickModel, ClickSystem, initialise, tower
from harness.system import SystemSpec, register


class DINConfig(ClickConfig):
    """Settings of DIN; sizes and batch are the paper's (figure 2, section 6), but for the width, its code's.

    Attributes:
        width: size d of an item's vector.
        units: hidden units of the layer that weighs a history item.
    """

    width: int = Field(64, ge=1)
    units: int = Field(36, ge=1)
    batch_size: int = Field(32, ge=1)


class DIN(ClickModel):
    """A history is pooled anew for every item to judge: its items are weighted by their bearing on that one.

    Weights are not normalised (section 4.3: their sum tells how strong the interest is; the published code takes a
    softmax). Of the paper's features items alone are read. Its two additions, Dice and the mini-batch aware
    regulariser, have rows of their own there and are left out.
    """

    def __init__(self, settings: DINConfig, n_users: int, n_items: int) -> None:
        super().__init__()
        width = settings.width
        self.embedding = nn.Embedding(n_items + 1, width)
        self.unit = nn.Sequential(nn.Linear(4 * width, settings.units), nn.PReLU(), nn.Linear(settings.units, 1))
        self.tower = tower(2 * width)
        self.apply(initialise)

    def logits(self, user: Tensor, history: Tensor, items: Tensor) -> Tensor:
        """Histories [B, T], items [B, C] -> [B, C]."""
        past, judged = self.embedding(history), self.embedding(items)
        weights = self.weights(past, judged) * (history > 0)[:, None]
        log_odds: Tensor = self.tower(torch.cat([weights @ past, judged], 2))
        return log_odds

    def weights(self, past: Tensor, judged: Tensor) -> Tensor:
        """The activation unit reads both vectors, their difference and product: [B, T, d], [B, C, d] -> [B, C, T]."""
        key = past[:, None].expand(-1, judged.shape[1], -1, -1)  # [B, C, T, d]
        query = judged[:, :, None].expand_as(key)
        weights: Tensor = self.unit(torch.cat([query, key, query - key, query * key], 3)).squeeze(3)
        return weights


register(
    SystemSpec(
        name="din",
        source="Zhou et al., KDD 2018, arXiv 1706.06978; budget of LlamaRec, section 4",
        config=DINConfig,
        build=partial(ClickSystem[DINConfig], DIN),
        tasks=("candidates",),
    )
)
