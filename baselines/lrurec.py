"""LRURec: linear recurrent units for sequential recommendation (Yue et al., WSDM 2024); LlamaRec's retriever.

Shapes: N valid positions of a batch (see ``baselines.packed``), d width, h complex state, V items.
"""

import math
from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from baselines.encoder import GRID, CausalConfig, CausalModel, SequenceSystem, initialise
from baselines.packed import Packed
from baselines.recurrence import linear_recurrence
from harness.dropout import Dropout
from harness.system import SystemSpec, register


class LRURecConfig(CausalConfig):
    """Settings of LRURec.

    Attributes:
        blocks: recurrent unit and feed-forward, this many times.
        state: complex numbers h in a block's state.
    """

    blocks: int = Field(2, ge=1)
    state: int = Field(128, ge=1)


class RecurrentUnit(nn.Module):
    """h_t = lambda h_(t-1) + gamma (B x_t), y_t = Re(C h_t): a diagonal linear recurrence in the complex plane.

    lambda = exp(-exp(nu) + i exp(theta)) starts on a ring of radius 0.8 to 0.99; gamma starts where the state keeps
    the input's variance (Orvieto et al. 2023, section 3). Everything but the recurrence is in real numbers: B x is a
    linear layer whose output holds real and imaginary parts side by side, Re(C h) one that reads them.
    """

    def __init__(self, width: int, state: int, dropout: float, low: float = 0.8, high: float = 0.99) -> None:
        super().__init__()
        radius_squared = low**2 + torch.rand(state) * (high**2 - low**2)
        self.log_nu = nn.Parameter(torch.log(-0.5 * torch.log(radius_squared)))
        self.log_theta = nn.Parameter(torch.log(2 * math.pi * torch.rand(state)))
        self.log_gamma = nn.Parameter(0.5 * torch.log(1 - radius_squared))
        self.drive = nn.Linear(width, 2 * state)
        self.read = nn.Linear(2 * state, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, sizes: list[int]) -> Tensor:
        """[N, d] -> [N, d]."""
        gamma = self.log_gamma.exp().repeat_interleave(2)
        drive = functional.linear(x, self.drive.weight * gamma[:, None], self.drive.bias * gamma)  # [N, 2h]
        transition = torch.polar((-self.log_nu.exp()).exp(), self.log_theta.exp())  # [h]
        states = linear_recurrence(torch.view_as_complex(drive.view(len(x), -1, 2)), transition, sizes)  # [N, h]
        x = self.norm(x + self.dropout(self.read(torch.view_as_real(states).flatten(1))))
        return x


class FeedForward(nn.Module):
    """Position-wise: four times wider, GELU, back; residual and norm."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[N, d] -> [N, d]."""
        x = self.norm(x + self.dropout(self.narrow(self.dropout(functional.gelu(self.widen(x))))))
        return x


class LRURec(CausalModel):
    """Item embedding, then blocks of recurrent unit and feed-forward; scores are dot products with the embedding."""

    def __init__(self, settings: LRURecConfig, n_items: int, length: int) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.settings = settings
        self.embedding = nn.Embedding(n_items + 1, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.units = nn.ModuleList(RecurrentUnit(width, settings.state, dropout) for _ in range(settings.blocks))
        self.feed_forwards = nn.ModuleList(FeedForward(width, dropout) for _ in range(settings.blocks))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.apply(initialise)

    def features(self, packed: Packed) -> Tensor:
        """What each position knows of the items up to it, shape [N, d]."""
        x: Tensor = self.dropout(self.norm(self.embedding(packed.items)))
        for unit, feed_forward in zip(self.units, self.feed_forwards, strict=True):
            x = feed_forward(unit(x, packed.sizes))
        return x


register(
    SystemSpec(
        name="lrurec",
        source="Yue et al., WSDM 2024, arXiv 2310.02367, section 3; settings of LlamaRec, section 4",
        config=LRURecConfig,
        build=partial(SequenceSystem[LRURecConfig], LRURec),
        grid=GRID,
    )
)
