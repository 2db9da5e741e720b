"""The shell of the sequence systems: cut windows, build the model, train it, score with it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from baselines.neural import NeuralSystem
from baselines.objective import Asked, LossConfig, loss_of
from baselines.packed import Packed, pack, rows
from baselines.unseen_user import BY_HISTORY
from harness import training
from harness.data.dataset import Ids, Sequences
from harness.errors import InputError
from harness.record import FitRecord
from harness.seeds import seeded
from harness.system import Context, Queries, as_padded
from harness.training import TrainingConfig


class EncoderConfig(TrainingConfig, LossConfig):
    """What the sequence systems have in common.

    Attributes:
        width: size d of an item's vector (LlamaRec's configuration file gives every system 64).
        dropout: probability, wherever a system drops out.
    """

    width: int = Field(64, ge=1)
    dropout: float = Field(0.2, ge=0, lt=1)


class CausalConfig(EncoderConfig):
    """What the systems have in common that read forward and are trained to tell the next item.

    Attributes:
        targets: the items of a training window that are asked for: ``all`` but its first, the ``last`` alone, or the
            last of each of its ``prefixes``, which are training windows of their own then.
    """

    targets: Literal["all", "last", "prefixes"] = "all"


# What LlamaRec's paper searches on validation for every sequence system (section 4).
GRID: dict[str, tuple[float, ...]] = {"weight_decay": (0.0, 0.01), "dropout": (0.1, 0.2, 0.3, 0.4, 0.5)}


class SequenceModel(nn.Module, ABC):
    """A network that reads left-padded item ids. V items have the ids 1..V; 0 pads and is never embedded.

    Attributes:
        settings: with the choice of the loss.
        embedding: item vectors by id.
        bias: of each item's score, shape [V], or None for none.
    """

    settings: EncoderConfig
    embedding: nn.Embedding
    bias: Tensor | None

    @property
    def item_vectors(self) -> Tensor:
        """Embeddings of the items alone, shape [V, d]."""
        return self.embedding.weight[1:]

    def examples(self, windows: Iterable[Ids]) -> list[Ids]:
        """The windows that batches are drawn from."""
        return list(windows)

    def loss(self, windows: Tensor, random: np.random.Generator) -> Tensor:
        """Mean training loss of windows of at most ``length`` + 1 items, shape [window, time]."""
        asked = self.ask(windows, random)
        return loss_of(asked, windows, self.item_vectors, self.bias, self.settings, random)

    @abstractmethod
    def ask(self, windows: Tensor, random: np.random.Generator) -> Asked:
        """The items of the windows that training asks for, and what is known where they are asked."""

    @abstractmethod
    def scores(self, history: Tensor) -> Tensor:
        """Scores of the next item, shape [query, V + 1], from histories of shape [query, time]."""


class CausalModel(SequenceModel):
    """A network whose features at a position know the items up to it, and are to tell the next one."""

    settings: CausalConfig

    @abstractmethod
    def features(self, packed: Packed) -> Tensor:
        """What each position knows of the items up to it, shape [N, d]."""

    def examples(self, windows: Iterable[Ids]) -> list[Ids]:
        """The windows, or every prefix of each that has a target."""
        if self.settings.targets != "prefixes":
            return list(windows)
        return [window[:stop] for window in windows for stop in range(2, len(window) + 1)]

    def ask(self, windows: Tensor, random: np.random.Generator) -> Asked:
        """Every item but a window's first, or its last alone; windows [B, T + 1]."""
        packed = pack(windows[:, :-1], self.embedding.weight.device)
        target = packed.pack(windows[:, 1:].to(self.embedding.weight.device))
        asked = Asked(self.features(packed), target, packed.source, windows.shape[1] - 1)
        return asked if self.settings.targets == "all" else asked.at(packed.last)

    def scores(self, history: Tensor) -> Tensor:
        """[query, T] -> [query, V + 1]."""
        packed = pack(history, self.embedding.weight.device)
        return item_scores(rows(self.features(packed), packed.last), self.item_vectors, self.bias)


Config = TypeVar("Config", bound=EncoderConfig)
Build = Callable[[Config, int, int], SequenceModel]


class SequenceSystem(NeuralSystem[SequenceModel], Generic[Config]):
    """A system (``harness.system.System``) around a sequence model.

    It knows a user by the history alone: one that is unseen in training is scored as any other.

    Args:
        build: makes the model from the settings, the number of items and the length of a history.
        settings: the system's own.
    """

    def __init__(self, build: Build[Config], settings: Config) -> None:
        self.build = build
        self.settings = settings

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Train on every window of every user's training items.

        Raises:
            InputError: no user has two training items.
            WorkError: the loss is not finite.
        """
        with seeded(context.seed, "init"):
            self.model = self.new_model(context)
        examples = self.model.examples(windows(train, context.window))
        if not examples:
            raise InputError(f"{context.dataset.name}: no user has 2 training items; a sequence system needs some")

        def loss(batch: npt.NDArray[np.int64], random: np.random.Generator) -> Tensor:
            return self.model.loss(as_padded([examples[index] for index in batch], context.window + 1), random)

        record = training.train(self.model, len(examples), loss, self.score, self.settings, context)
        return record.model_copy(update={"notes": {"unseen_user": BY_HISTORY}})

    @torch.no_grad()
    def score(self, queries: Queries) -> Tensor:
        """Scores of all items, shape [query, item + 1], or of the queries' candidates, shape [query, candidate]."""
        self.model.eval()
        scores = self.model.scores(queries.history)
        return scores if queries.candidates is None else scores.gather(1, queries.candidates.to(scores.device))

    def new_model(self, context: Context) -> SequenceModel:
        """The model before training."""
        return self.build(self.settings, context.dataset.n_items, context.window).to(context.device)


def windows(sequences: Sequences, length: int) -> Iterator[Ids]:
    """Every user's items in windows of at most ``length`` + 1, cut from the end.

    Neighbouring windows share one item: as input of the later and target of the earlier one. So a window has at most
    ``length`` inputs, and every item but a user's first is a target exactly once.
    """
    for items in sequences:
        for end in range(len(items), 1, -length):
            yield items[max(0, end - length - 1) : end]


def item_scores(features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Dot products of features, shape [query, d], with V item vectors, shape [V, d].

    Returns:
        Shape [query, V + 1]; column 0 stands for padding and holds 0.
    """
    return functional.pad(functional.linear(features, weight, bias), (1, 0))


def initialise(module: nn.Module) -> None:
    """For ``Module.apply``: normal weights with deviation 0.02 cut at two deviations, zero biases."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
