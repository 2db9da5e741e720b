"""Multi-head self-attention over packed sequences."""

import math
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from baselines.encoder import EncoderConfig
from baselines.packed import Packed, rows
from harness.dropout import Dropout


class AttentionConfig(EncoderConfig):
    """What the systems with attention have in common.

    Attributes:
        blocks: attention and feed-forward, this many times.
        heads: of the attention; they divide ``width``.
    """

    blocks: int = Field(2, ge=1)
    heads: int = Field(2, ge=1)

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} does not divide width {self.width}; choose one that does")
        return self


def later(time: int, device: torch.device) -> Tensor:
    """What to add to scores so that none (first axis) meets a later one (second axis): 0 or -inf, shape [t, t]."""
    return torch.full((time, time), -math.inf, device=device).triu(1)


class SelfAttention(nn.Module):
    """Scaled dot-product attention within each sequence of a batch (Vaswani et al. 2017, section 3.2).

    The projections see valid positions only; the scores alone are laid out by sequence, a group of b of at most t items
    at once. H heads of size d / H.
    """

    def __init__(self, width: int, heads: int, dropout: float, *, causal: bool) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, packed: Packed, asked: Tensor | None = None) -> Tensor:
        """[N, d] -> [N, d], or -> [M, d] for the M positions that are asked; all are looked at."""
        if self.causal:  # which hides the padding too: it comes after a sequence's end
            masks = [later(time, x.device) for _, time in packed.groups]
        else:
            masks = [valid.mT[:, None].log() for valid in packed.unpack(torch.ones_like(x[:, :1]))]  # 0 or -inf
        x = self.merge(packed.repack(map(self.attend, packed.unpack(self.project(x)), masks), asked))
        return x

    def attend(self, projected: Tensor, mask: Tensor) -> Tensor:
        """[b, t, 3 d] -> [b, t, d]: queries, keys and values of a group, and what to add to its scores."""
        heads = torch.unflatten(projected, 2, (3, self.heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each [b, H, t, d / H]
        scores = query / math.sqrt(query.shape[3]) @ key.mT + mask  # [b, H, t, t]
        weights = self.dropout(scores.softmax(-1))
        attended: Tensor = (weights @ value).transpose(1, 2).flatten(2)
        return attended


class Block(nn.Module):
    """norm(x + attention(x)), then norm(x + feed-forward(x)): the norm stands after each part (Vaswani et al. 2017)."""

    def __init__(self, width: int, inner: int, heads: int, dropout: float, *, causal: bool) -> None:
        super().__init__()
        self.attention = SelfAttention(width, heads, dropout, causal=causal)
        self.attention_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, packed: Packed, asked: Tensor | None = None) -> Tensor:
        """[N, d] -> [N, d], or -> [M, d] for the M positions that are asked."""
        attended = self.attention(x, packed, asked)
        x = x if asked is None else rows(x, asked)
        x = self.attention_norm(x + self.dropout(attended))
        x = self.feed_forward_norm(x + self.dropout(self.narrow(functional.gelu(self.widen(x)))))
        return x
