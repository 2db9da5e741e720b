"""CORE: one representation space for sessions and items (Hou et al., SIGIR 2022), in its form CORE-trm.

Shapes: N valid positions of a batch in groups of b sequences of at most t items (see ``baselines.packed``), d width, V
items.
"""

from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from baselines.attention import AttentionConfig, Block, later
from baselines.encoder import GRID, CausalConfig, CausalModel, SequenceSystem, initialise
from baselines.packed import Packed
from harness.dropout import Dropout
from harness.system import SystemSpec, register


class COREConfig(AttentionConfig, CausalConfig):
    """Settings of CORE-trm; defaults are those of its published code, but for one dropout everywhere.

    Attributes:
        inner: width of the feed-forward layers.
        temperature: by which cosines are divided (section 3.3).
    """

    width: int = Field(100, ge=1)
    inner: int = Field(256, ge=1)
    temperature: float = Field(0.07, gt=0)


class CORE(CausalModel):
    """A session is a weighted sum of its items' own vectors; a score is the cosine to an item over a temperature.

    A transformer gives the weights and nothing else (section 3.2), so that a session lies in the space of the items. It
    reads forward only, as in the published code: position t weighs the items up to t as a session of its own would.
    Items drop out where sessions are compared with them (section 3.3).
    """

    settings: COREConfig

    def __init__(self, settings: COREConfig, n_items: int, length: int) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.settings = settings
        self.bias = None
        self.embedding = nn.Embedding(n_items + 1, width)
        self.position = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        blocks = (Block(width, settings.inner, settings.heads, dropout, causal=True) for _ in range(settings.blocks))
        self.blocks = nn.ModuleList(blocks)
        self.importance = nn.Linear(width, 1, bias=False)
        self.apply(initialise)

    @property
    def item_vectors(self) -> Tensor:
        """Item vectors of length 1, shape [V, d]."""
        return functional.normalize(self.dropout(self.embedding.weight[1:]), dim=1)

    def features(self, packed: Packed) -> Tensor:
        """Sessions up to each position, of length 1 / temperature, shape [N, d]."""
        items = self.dropout(self.embedding(packed.items))
        sessions = packed.repack(map(torch.matmul, self.weights(items, packed), packed.unpack(items)))
        return functional.normalize(sessions, dim=1) / self.settings.temperature

    def weights(self, items: Tensor, packed: Packed) -> list[Tensor]:
        """Weight of each item (third axis) in the session up to each item (second axis): [N, d] -> each [b, t, t]."""
        x = self.dropout(self.norm(items + self.position(packed.time)))
        for block in self.blocks:
            x = block(x, packed)
        importance = packed.unpack(self.importance(x))  # each [b, t, 1]
        return [(group.mT + later(group.shape[1], x.device)).softmax(-1) for group in importance]


register(
    SystemSpec(
        name="core",
        source="Hou et al., SIGIR 2022, arXiv 2204.11067, CORE-trm; budget of LlamaRec, section 4",
        config=COREConfig,
        build=partial(SequenceSystem[COREConfig], CORE),
        tasks=("next-item", "candidates"),
        grid=GRID,
    )
)
