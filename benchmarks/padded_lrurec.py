"""LRURec as one writes it down first: every window padded to full length, complex layers, logits everywhere.

It has the parameters of ``baselines.lrurec.LRURec`` under the same names, so that it loads the same weights, and shows
what leaving the padding out is worth.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.lrurec import LRURecConfig


class PaddedUnit(nn.Module):
    """The recurrent unit on [B, L, d] in complex arithmetic, the recurrence in log2(L) doubling steps."""

    def __init__(self, width: int, state: int, dropout: float) -> None:
        super().__init__()
        self.log_nu = nn.Parameter(torch.empty(state))
        self.log_theta = nn.Parameter(torch.empty(state))
        self.log_gamma = nn.Parameter(torch.empty(state))
        self.drive = nn.Linear(width, 2 * state)
        self.read = nn.Linear(2 * state, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """[B, L, d], valid [B, L, 1] -> [B, L, d]."""
        into = torch.view_as_complex(self.drive.weight.unflatten(0, (-1, 2)).transpose(1, 2).contiguous())  # [h, d]
        bias = torch.view_as_complex(self.drive.bias.unflatten(0, (-1, 2)))
        out = torch.view_as_complex(self.read.weight.unflatten(1, (-1, 2)).contiguous()).conj()  # [d, h]
        states = functional.linear(x.to(torch.cfloat), into, bias) * self.log_gamma.exp() * valid  # [B, L, h]
        power = torch.exp(torch.complex(-self.log_nu.exp(), self.log_theta.exp()))  # [h]
        shift = 1
        while shift < states.shape[1]:
            states = states + power * functional.pad(states[:, :-shift], (0, 0, shift, 0))
            power = power * power
            shift *= 2
        y = functional.linear(states, out).real + self.read.bias
        return self.norm(x + self.dropout(y))


class PaddedFeedForward(nn.Module):
    """The position-wise network on [B, L, d]."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, d] -> [B, L, d]."""
        return self.norm(x + self.dropout(self.narrow(self.dropout(functional.gelu(self.widen(x))))))


class PaddedLRURec(nn.Module):
    """The whole model on windows left-padded to one length."""

    def __init__(self, settings: LRURecConfig, n_items: int) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.embedding = nn.Embedding(n_items + 1, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.units = nn.ModuleList(PaddedUnit(width, settings.state, dropout) for _ in range(settings.blocks))
        self.feed_forwards = nn.ModuleList(PaddedFeedForward(width, dropout) for _ in range(settings.blocks))
        self.bias = nn.Parameter(torch.zeros(n_items))

    def loss(self, windows: Tensor) -> Tensor:
        """Mean cross-entropy over the positions with a target; windows [B, L + 1], left-padded with 0."""
        items, target = windows[:, :-1], windows[:, 1:]
        valid = (items > 0)[..., None]
        x = self.dropout(self.norm(self.embedding(items)))
        for unit, feed_forward in zip(self.units, self.feed_forwards, strict=True):
            x = feed_forward(unit(x, valid))
        logits = functional.linear(x, self.embedding.weight[1:], self.bias)  # [B, L, V]
        target = torch.where(valid[..., 0], target - 1, -1)
        return functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-1)
