"""DIEN: deep interest evolution network (Zhou et al., AAAI 2019).

Shapes: B examples or queries, T history items, C items to judge, d width.
"""

import math
from functools import partial

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from baselines.click import ClickConfig, ClickModel, ClickSystem, click_loss, initialise, tower
from baselines.gru import gru_states
from baselines.objective import negatives
from baselines.packed import pack
from harness.system import SystemSpec, register


class DIENConfig(ClickConfig):
    """Settings of DIEN; defaults are those of its published code.

    Attributes:
        width: size d of an item's vector and of both GRUs' states.
        auxiliary: weight of the auxiliary loss (the paper's alpha).
    """

    width: int = Field(36, ge=1)
    batch_size: int = Field(128, ge=1)
    auxiliary: float = Field(1.0, ge=0)


class AUGRU(nn.Module):
    """A GRU whose update gate is scaled by attention, one for each item to judge ("Interest Evolving Layer")."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input = nn.Linear(width, 3 * width)
        self.state = nn.Linear(width, 3 * width, bias=False)

    def forward(self, x: Tensor, attention: Tensor) -> Tensor:
        """The last state, from 0: inputs [B, T, d], attention [B, C, T] -> [B, C, d]; attention 0 keeps a state."""
        state = x.new_zeros(*attention.shape[:2], x.shape[2])
        for read, weight in zip(self.input(x)[:, None].unbind(2), attention[..., None].unbind(2), strict=True):
            (update, reset, new), (old_update, old_reset, old_new) = (
                gates.chunk(3, 2) for gates in (read, self.state(state))
            )
            moved = weight * torch.sigmoid(update + old_update)
            proposed = torch.tanh(new + torch.sigmoid(reset + old_reset) * old_new)
            state = (1 - moved) * state + moved * proposed
        return state


class DIEN(ClickModel):
    """A GRU finds the interest behind each history item; an AUGRU follows the one that bears on the item to judge.

    Of the paper's features items alone are read.
    """

    def __init__(self, settings: DIENConfig, n_users: int, n_items: int) -> None:
        super().__init__()
        width = settings.width
        self.settings = settings
        self.n_items = n_items
        self.embedding = nn.Embedding(n_items + 1, width)
        self.extractor = nn.GRU(width, width)
        self.bearing = nn.Linear(width, width, bias=False)  # the paper's W
        self.evolution = AUGRU(width)
        self.tower = tower(2 * width)
        self.apply(initialise)

    def logits(self, user: Tensor, history: Tensor, items: Tensor) -> Tensor:
        """Histories [B, T], items [B, C] -> [B, C]."""
        return self.judge(self.interests(history), history, items)

    def loss(self, user: Tensor, history: Tensor, items: Tensor, random: np.random.Generator) -> Tensor:
        """The loss of clicks, and the auxiliary one."""
        interests = self.interests(history)
        auxiliary = self.auxiliary_loss(interests, history, random)
        return click_loss(self.judge(interests, history, items)) + self.settings.auxiliary * auxiliary

    def interests(self, history: Tensor) -> Tensor:
        """The extractor's state after each item, 0 at padding: [B, T] -> [B, T, d]."""
        packed = pack(history, history.device)
        states = gru_states(self.extractor, self.embedding(packed.items), packed.sizes)
        padded = states.new_zeros(history.numel(), states.shape[1]).index_copy(0, packed.source, states)
        return padded.view(*history.shape, -1)

    def judge(self, interests: Tensor, history: Tensor, items: Tensor) -> Tensor:
        """[B, T, d], [B, T], [B, C] -> [B, C]."""
        judged = self.embedding(items)
        scores = (self.bearing(judged) @ interests.mT).masked_fill((history == 0)[:, None], -math.inf)
        final = self.evolution(interests, scores.softmax(2))  # no attention to padding, so it moves no state
        log_odds: Tensor = self.tower(torch.cat([final, judged], 2))
        return log_odds

    def auxiliary_loss(self, interests: Tensor, history: Tensor, random: np.random.Generator) -> Tensor:
        """Each interest is to tell the next item from one drawn outside the history.

        By inner products, as the paper has it (its published code puts layers there), and, as in the code, the mean
        over all that have a next item; 0 where none has.
        """
        before, following = interests[:, :-1], history[:, 1:]
        drawn = negatives(history.cpu().numpy(), self.n_items, (history.shape[1], 1), random)[:, 1:, 0]
        true, false = (
            (before * self.embedding(item)).sum(2) for item in (following, torch.from_numpy(drawn).to(history.device))
        )
        valid = history[:, :-1] > 0
        each = -functional.logsigmoid(true) - functional.logsigmoid(-false)
        return (each * valid).sum() / valid.sum().clamp(min=1)


register(
    SystemSpec(
        name="dien",
        source="Zhou et al., AAAI 2019, arXiv 1809.03672; budget of LlamaRec, section 4",
        config=DIENConfig,
        build=partial(ClickSystem[DIENConfig], DIEN),
        tasks=("candidates",),
    )
)
