"""GRU4Rec: session-based recommendation with a recurrent network (Hidasi et al., ICLR 2016 and CIKM 2018).

Shapes: N valid positions of a batch (see ``baselines.packed``), d width, V items.
"""

from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.encoder import GRID, CausalConfig, CausalModel, SequenceSystem, initialise
from baselines.gru import gru_states
from baselines.packed import Packed
from harness.dropout import Dropout
from harness.system import SystemSpec, register


class GRU4RecConfig(CausalConfig):
    """Settings of GRU4Rec; both papers report a GRU of 100 units. LLM-TRSR's paper states neither sizes nor loss."""

    width: int = Field(100, ge=1)


class GRU4Rec(CausalModel):
    """One GRU layer over item vectors, whose states meet the same vectors again, with a bias for each item.

    It is the version of 2018 (Hidasi and Karatzoglou): items have one vector for input and output, and the loss is
    cross-entropy. Theirs is over the other targets of the mini-batch and 2,048 drawn items, ours over all items, which
    those stand for. Sequences are read whole, not in session-parallel steps that cut the gradient after one item.
    """

    def __init__(self, settings: GRU4RecConfig, n_items: int, length: int) -> None:
        super().__init__()
        self.settings = settings
        self.embedding = nn.Embedding(n_items + 1, settings.width)
        self.gru = nn.GRU(settings.width, settings.width)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.dropout = Dropout(settings.dropout)
        self.apply(initialise)

    def features(self, packed: Packed) -> Tensor:
        """The GRU's state at each position, shape [N, d]."""
        states: Tensor = self.dropout(gru_states(self.gru, self.dropout(self.embedding(packed.items)), packed.sizes))
        return states


register(
    SystemSpec(
        name="gru4rec",
        source="Hidasi and Karatzoglou, CIKM 2018, arXiv 1706.03847 (cross-entropy); budget of LlamaRec, section 4",
        config=GRU4RecConfig,
        build=partial(SequenceSystem[GRU4RecConfig], GRU4Rec),
        tasks=("next-item", "candidates"),
        grid=GRID,
    )
)
