"""Multi-head self-attention over packed sequences."""

import math
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from baselines.dropout import Dropout
from baselines.encoder import EncoderConfig
from baselines.packed import Packed


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


class SelfAttention(nn.Module):
    """Scaled dot-product attention within each sequence of a batch (Vaswani et al. 2017, section 3.2).

    The projections see valid positions only; the scores alone are laid out by sequence.
    """

    def __init__(self, width: int, heads: int, dropout: float, *, causal: bool) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, packed: Packed) -> Tensor:
        """[N, d] -> [N, d]; B sequences of at most T items, H heads of size d / H."""
        heads = torch.unflatten(packed.unpack(self.project(x)), 2, (3, self.heads, -1))  # [B, T, 3, H, d / H]
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each [B, H, T, d / H]
        if self.causal:  # which hides the padding too: it comes after a sequence's end
            mask = torch.full((query.shape[2],) * 2, -math.inf, device=x.device).triu(1)  # [T, T]
        else:
            mask = packed.unpack(torch.ones_like(x[:, :1])).mT[:, None].log()  # [B, 1, 1, T], 0 or -inf
        scores = query / math.sqrt(query.shape[3]) @ key.mT + mask  # [B, H, T, T]
        weights = self.dropout(scores.softmax(-1))
        x = self.merge(packed.repack((weights @ value).transpose(1, 2).flatten(2)))
        return x


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

    def forward(self, x: Tensor, packed: Packed) -> Tensor:
        """[N, d] -> [N, d]."""
        x = self.attention_norm(x + self.dropout(self.attention(x, packed)))
        x = self.feed_forward_norm(x + self.dropout(self.narrow(functional.gelu(self.widen(x)))))
        return x
