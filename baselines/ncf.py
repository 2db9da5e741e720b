"""NCF: neural collaborative filtering (He et al., WWW 2017), in its form NeuMF.

Shapes: B examples or queries, C items to judge, f predictive factors.
"""

from functools import partial
from itertools import pairwise
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.click import ClickConfig, ClickModel, ClickSystem, initialise
from harness.system import SystemSpec, register


class NCFConfig(ClickConfig):
    """Settings of NeuMF; defaults are those of its published code.

    Attributes:
        factors: size f of what either part hands to the last layer.
    """

    factors: int = Field(8, ge=1)
    negatives: int = Field(4, ge=1)
    batch_size: int = Field(256, ge=1)


class NeuMF(ClickModel):
    """A generalised matrix factorisation beside a tower of layers, each with user and item vectors of its own.

    Log odds = h . [p * q; tower([p'; q'])] (equation 12), trained from random weights (section 3.4.1 also starts from
    parts trained before). It reads no history: a user is a vector, learnt from all of the user's training items. Every
    user who is asked has some, of whatever part of a case set.
    """

    first_clicks: ClassVar[bool] = True
    unseen_user: ClassVar[str] = "by a zero vector; every user who is asked has a history in training"

    def __init__(self, settings: NCFConfig, n_users: int, n_items: int) -> None:
        super().__init__()
        factors = settings.factors
        self.factor_user = nn.Embedding(n_users + 1, factors)
        self.factor_item = nn.Embedding(n_items + 1, factors)
        self.tower_user = nn.Embedding(n_users + 1, 4 * factors)
        self.tower_item = nn.Embedding(n_items + 1, 4 * factors)
        sizes = (8 * factors, 4 * factors, 2 * factors, factors)
        layers = (nn.Sequential(nn.Linear(*pair), nn.ReLU()) for pair in pairwise(sizes))
        self.tower = nn.Sequential(*layers)
        self.last = nn.Linear(2 * factors, 1, bias=False)
        self.apply(initialise)
        with torch.no_grad():
            self.factor_user.weight[0] = self.tower_user.weight[0] = 0

    def logits(self, user: Tensor, history: Tensor, items: Tensor) -> Tensor:
        """Users [B], items [B, C] -> [B, C]."""
        factors = self.factor_user(user)[:, None] * self.factor_item(items)  # [B, C, f]
        own, theirs = self.tower_user(user)[:, None], self.tower_item(items)
        joined = self.tower(torch.cat([own.expand_as(theirs), theirs], 2))  # [B, C, f]
        log_odds: Tensor = self.last(torch.cat([factors, joined], 2)).squeeze(2)
        return log_odds


register(
    SystemSpec(
        name="ncf",
        source="He et al., WWW 2017, arXiv 1708.05031, NeuMF without pre-training; budget of LlamaRec, section 4",
        config=NCFConfig,
        build=partial(ClickSystem[NCFConfig], NeuMF),
        tasks=("candidates",),
    )
)
