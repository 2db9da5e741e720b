"""The shell of the tabular click models: does this user, with this history, click this item?

Shapes: B examples or queries, T history items, C items to judge, d width.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from baselines.neural import NeuralSystem
from baselines.next_item_examples import before, next_items
from baselines.objective import negatives
from baselines.unseen_user import BY_HISTORY
from harness import training
from harness.data.dataset import Sequences
from harness.errors import InputError
from harness.record import FitRecord
from harness.seeds import seeded
from harness.system import Context, Queries, as_padded
from harness.training import TrainingConfig


class ClickConfig(TrainingConfig):
    """What the click models have in common. LLM-TRSR's paper states neither their sizes nor their budget.

    The budget and optimiser are those of the sequence systems, so that all rows of its table are given the same.

    Attributes:
        negatives: items drawn for every click, uniformly from those that the user has none of, anew at every step.
    """

    negatives: int = Field(1, ge=1)


class ClickModel(nn.Module, ABC):
    """A network that judges items for a user. Items and users have ids from 1; item 0 pads, user 0 is unknown.

    Attributes:
        first_clicks: whether it learns from a user's first item too, which has no history.
        unseen_user: how a user is scored of whom training has nothing; kept with every run.
    """

    first_clicks: ClassVar[bool] = False
    unseen_user: ClassVar[str] = BY_HISTORY

    @abstractmethod
    def logits(self, user: Tensor, history: Tensor, items: Tensor) -> Tensor:
        """Log odds of a click: users [B], histories left-padded with 0 [B, T], items [B, C] -> [B, C]."""

    def loss(self, user: Tensor, history: Tensor, items: Tensor, random: np.random.Generator) -> Tensor:
        """Mean training loss; shapes as in :meth:`logits`, the item that was clicked first among the items."""
        return click_loss(self.logits(user, history, items))


Config = TypeVar("Config", bound=ClickConfig)


class ClickSystem(NeuralSystem[ClickModel], Generic[Config]):
    """A system (``harness.system.System``) around a click model.

    Args:
        build: makes the model from the settings and the numbers of users and items.
        settings: the system's own.
    """

    def __init__(self, build: Callable[[Config, int, int], ClickModel], settings: Config) -> None:
        self.build = build
        self.settings = settings

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Train on every training item as a click, beside drawn negatives, with the items before it as history.

        Raises:
            InputError: no user has two training items.
            WorkError: the loss is not finite.
        """
        with seeded(context.seed, "init"):
            self.model = self.new_model(context)
        clicks = np.arange(len(train.items)) if self.model.first_clicks else next_items(train)
        if not len(clicks):
            raise InputError(f"{context.dataset.name}: no user has 2 training items; a click model needs some")
        longest = int(np.diff(train.offsets).max())

        def loss(batch: npt.NDArray[np.int64], random: np.random.Generator) -> Tensor:
            positions = clicks[batch]
            user = np.searchsorted(train.offsets, positions, side="right")
            history = as_padded([before(train, int(position)) for position in positions], context.window)
            own = as_padded([train[int(one)] for one in user], longest)
            drawn = negatives(own.numpy(), context.dataset.n_items, (1, self.settings.negatives), random)[:, 0]
            items = torch.from_numpy(np.concatenate([train.items[positions, None], drawn], axis=1))
            device = context.device
            return self.model.loss(torch.from_numpy(user).to(device), history.to(device), items.to(device), random)

        record = training.train(self.model, len(clicks), loss, self.score, self.settings, context)
        return record.model_copy(update={"notes": {"unseen_user": self.model.unseen_user}})

    @torch.no_grad()
    def score(self, queries: Queries) -> Tensor:
        """Log odds of the queries' candidates, shape [query, candidate]."""
        assert queries.candidates is not None
        self.model.eval()
        return self.model.logits(queries.user, queries.history, queries.candidates)

    def new_model(self, context: Context) -> ClickModel:
        """The model before training."""
        return self.build(self.settings, context.dataset.n_users, context.dataset.n_items).to(context.device)


def click_loss(logits: Tensor) -> Tensor:
    """Mean binary cross-entropy over clicks, in the first column, and negatives, in the others: shape [B, C]."""
    labels = torch.zeros_like(logits)
    labels[:, 0] = 1
    return functional.binary_cross_entropy_with_logits(logits, labels)


def tower(width: int) -> nn.Sequential:
    """The last layers of DIN (figure 2) and DIEN: 200, 80, and one that tells the log odds, PReLU between them."""
    return nn.Sequential(
        nn.Linear(width, 200), nn.PReLU(), nn.Linear(200, 80), nn.PReLU(), nn.Linear(80, 1), nn.Flatten(-2)
    )


def initialise(module: nn.Module) -> None:
    """For ``Module.apply``: vectors of items and users from N(0, 0.01), Glorot's uniform weights, zero biases.

    So NCF's published code does; the others' leave their weights to the same default.
    """
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.01)
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
