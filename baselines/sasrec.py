"""SASRec: self-attentive sequential recommendation (Kang and McAuley, ICDM 2018).

Shapes: N valid positions of a batch (see ``baselines.packed``), d width, V items.
"""

import math
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from baselines import losses
from baselines.attention import AttentionConfig, SelfAttention
from baselines.dropout import Dropout
from baselines.encoder import GRID, SequenceModel, SequenceSystem, initialise, item_scores
from baselines.packed import Packed, pack, rows
from harness.system import SystemSpec, register


class SASRecConfig(AttentionConfig):
    """Settings of SASRec.

    Attributes:
        loss: ``bce`` is the paper's; which one it is decides more than the block (gSASRec, Petrov and Macdonald 2023).
        negatives: drawn for every target, uniformly from the items outside its window; unused by ``cross-entropy``.
        calibration: of ``gbce`` (gSASRec's t).
    """

    loss: Literal["bce", "gbce", "sampled-softmax", "cross-entropy"] = "bce"
    negatives: int = Field(1, ge=1)
    calibration: float = Field(0.75, ge=0, le=1)


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x)): the norm stands before each part (section III-C)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout, causal=True)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, packed: Packed) -> Tensor:
        """[N, d] -> [N, d]."""
        x = x + self.dropout(self.attention(self.attention_norm(x), packed))
        inner = self.dropout(functional.relu(self.inner(self.feed_forward_norm(x))))
        x = x + self.dropout(self.outer(inner))
        return x


class SASRec(SequenceModel):
    """Item embedding x sqrt(d) + learned position, causal blocks, a last norm, dot products with the embedding.

    Positions are counted from the end of the window, as in the original, which pads on the left.
    """

    def __init__(self, settings: SASRecConfig, n_items: int, length: int) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.settings = settings
        self.n_items = n_items
        self.embedding = nn.Embedding(n_items + 1, width)
        self.position = nn.Embedding(length, width)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, settings.heads, dropout) for _ in range(settings.blocks))
        self.norm = nn.LayerNorm(width)
        self.apply(initialise)

    def features(self, packed: Packed) -> Tensor:
        """What each position knows of the items up to it, shape [N, d]."""
        scale = math.sqrt(self.settings.width)
        x: Tensor = self.dropout(self.embedding(packed.items) * scale + self.position(packed.from_end))
        for block in self.blocks:
            x = block(x, packed)
        x = self.norm(x)
        return x

    def loss(self, windows: Tensor, random: np.random.Generator) -> Tensor:
        """The chosen loss of the next item at every position; windows [B, T + 1]."""
        device, kind = self.embedding.weight.device, self.settings.loss
        packed = pack(windows[:, :-1], device)
        target = packed.pack(windows[:, 1:].to(device))
        features = self.features(packed)
        if kind == "cross-entropy":
            return losses.linear_cross_entropy(features, self.embedding.weight[1:], None, target - 1)
        drawn = negatives(windows.numpy(), self.n_items, self.settings.negatives, random)
        negative_ids = torch.from_numpy(drawn).to(device).flatten(0, 1)[packed.source]  # [N, negative]
        positive = (features * self.embedding(target)).sum(1)
        negative = (features[:, None] * self.embedding(negative_ids)).sum(2)
        if kind == "sampled-softmax":
            return losses.sampled_softmax(positive, negative)
        beta = 1.0
        if kind == "gbce":
            beta = losses.gbce_beta(self.settings.negatives, self.n_items, self.settings.calibration)
        return losses.binary_cross_entropy(positive, negative, beta)

    def scores(self, history: Tensor) -> Tensor:
        """[query, T] -> [query, V + 1]."""
        packed = pack(history, self.embedding.weight.device)
        return item_scores(rows(self.features(packed), packed.last), self.embedding.weight[1:])


def negatives(
    windows: npt.NDArray[np.int64], n_items: int, count: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """``count`` items for every target, uniform over the items outside the target's window.

    Args:
        windows: item ids, left-padded with 0, shape [B, T + 1].
        n_items: items have the ids 1..n_items.
        count: negatives a target.
        random: what draws.

    Returns:
        Item ids, shape [B, T, count].
    """
    seen = np.zeros((len(windows), n_items + 1), dtype=bool)
    np.put_along_axis(seen, windows, True, axis=1)
    seen[seen[:, 1:].all(1)] = False  # a window of all items leaves nothing to draw from: any item will do
    drawn = random.integers(1, n_items + 1, (len(windows), windows.shape[1] - 1, count))
    while (clash := seen[np.arange(len(windows))[:, None, None], drawn]).any():
        drawn[clash] = random.integers(1, n_items + 1, int(clash.sum()))
    return drawn


register(
    SystemSpec(
        name="sasrec",
        source="Kang and McAuley, ICDM 2018, arXiv 1808.09781; settings of LlamaRec, section 4",
        config=SASRecConfig,
        build=partial(SequenceSystem[SASRecConfig], SASRec),
        grid=GRID,
    )
)
