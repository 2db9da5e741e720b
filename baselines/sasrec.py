"""SASRec: self-attentive sequential recommendation (Kang and McAuley, ICDM 2018).

Shapes: N valid positions of a batch (see ``baselines.packed``), d width, V items.
"""

import math
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from baselines.attention import AttentionConfig, SelfAttention
from baselines.encoder import GRID, CausalConfig, CausalModel, SequenceSystem, initialise
from baselines.objective import Loss
from baselines.packed import Packed
from harness.dropout import Dropout
from harness.system import SystemSpec, register


class SASRecConfig(AttentionConfig, CausalConfig):
    """Settings of SASRec; ``bce`` with one negative is the paper's loss (section III-E)."""

    loss: Loss = "bce"


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


class SASRec(CausalModel):
    """Item embedding x sqrt(d) + learned position, causal blocks, a last norm, dot products with the embedding.

    Positions are counted from the end of the window, as in the original, which pads on the left.
    """

    def __init__(self, settings: SASRecConfig, n_items: int, length: int) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.settings = settings
        self.bias = None
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


register(
    SystemSpec(
        name="sasrec",
        source="Kang and McAuley, ICDM 2018, arXiv 1808.09781; settings of LlamaRec, section 4",
        config=SASRecConfig,
        build=partial(SequenceSystem[SASRecConfig], SASRec),
        tasks=("next-item", "candidates"),
        grid=GRID,
    )
)
