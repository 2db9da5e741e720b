"""The contract of a system, and the register that names them.

A file in ``baselines/`` (or a package with an entry point in the group ``llmrec_harness.systems``)
calls :func:`register` once. The harness itself names no system.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.config import Strict
from harness.data.dataset import Dataset, Ids, Sequences
from harness.errors import InputError
from harness.home import Home
from harness.outcomes import Outcomes
from harness.progress import Report
from harness.record import FitRecord, ModelRecord

Need = Literal["texts", "retriever", "backbone", "prompts", "summarizer"]


@dataclass(frozen=True)
class Queries:
    """A batch of things to answer. A system never sees a target.

    Attributes:
        user: user ids, shape [query].
        history: item ids, oldest first, left-padded with 0 to the batch's longest, shape [query, time].
        candidates: item ids in the retriever's or the task's order, shape [query, candidate]; None over the whole
            catalogue.
    """

    user: Tensor
    history: Tensor
    candidates: Tensor | None = None

    def __len__(self) -> int:
        return len(self.user)


Scorer = Callable[[Queries], Tensor]


@dataclass(frozen=True)
class Context:
    """What a system is given beside the training sequences.

    Attributes:
        dataset: titles, fields and counts; its sequences are those to train on, without any target.
        seed: the run's seed; derive named generators from it (``harness.seeds``).
        device: where tensors live.
        window: how many recent items a query's history holds at most.
        work: a private folder for checkpoints; a run that is started again finds it as it was left.
        validate: outcomes of a scorer on the validation queries. ``limit`` takes the first so many
            queries (in a seeded order) of those that would be asked.
        home: where backbones are cached.
        report: prints a line of progress (a short sentence, or step counts).
        retrieve: what a re-ranker's retriever finds for any history; None where there is no retriever.
        cases: ids of the users whose last training item is an answer that a tuned recommender may learn from, shape
            [case]: the train users of a case set, else all with a training item before it.
    """

    dataset: Dataset
    seed: int
    device: torch.device
    window: int
    work: Path
    validate: "Validate"
    home: Home
    report: Report = print
    retrieve: "Retrieve | None" = None
    cases: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


class Validate(Protocol):
    """The type of :attr:`Context.validate`."""

    def __call__(self, scorer: Scorer, limit: int | None = None) -> Outcomes:
        """Outcomes of the scorer on the validation queries, or on ``limit`` of them."""
        ...


class Retrieve(Protocol):
    """The type of :attr:`Context.retrieve`."""

    def __call__(self, history: Ids, answer: int) -> Ids:
        """The retriever's best items for a history, best first, without those that the task excludes.

        Args:
            history: everything before the answer, oldest first; the retriever reads its window of it.
            answer: the item that came next; as the target of a task it is never excluded.

        Returns:
            Item ids, shape [candidate]; fewer than the task's candidates only where the catalogue has no more.

        Raises:
            InputError: the retriever's run keeps no weights.
        """
        ...


class System(Protocol):
    """Anything that scores items for a user."""

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Learn from the training sequences; resume from ``context.work`` if it holds a checkpoint."""
        ...

    def score(self, queries: Queries) -> Tensor:
        """Scores, higher is better.

        Returns:
            Shape [query, candidate] where the queries have candidates, else [query, item + 1] with
            column j for item j; column 0 is padding and is ignored.
        """
        ...

    def weights(self) -> dict[str, Tensor]:
        """The fitted weights to keep in the run folder (an adapter rather than its backbone)."""
        ...

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Become what :meth:`fit` left behind, from the weights that it gave; nothing is trained.

        Raises:
            InputError: the weights are another model's.
        """
        ...

    def backbone(self) -> ModelRecord | None:
        """The pretrained model behind the scores, or None."""
        ...


@runtime_checkable
class Noting(Protocol):
    """A system that has something to say of its answers."""

    def notes(self) -> dict[str, float | int | str]:
        """Facts worth printing beside the row, by name, of the queries scored since it was fitted or restored."""
        ...


@dataclass(frozen=True)
class SystemSpec:
    """One registered system.

    Attributes:
        name: the name on the command line.
        source: paper and section that it follows.
        config: its settings; defaults are the paper's.
        build: makes the system from its settings.
        tasks: the tasks it can do.
        needs: what it cannot do without.
        llm: what is done to its language model.
        conventional: whether a conventional recommender takes part at inference.
        grid: settings that its paper searches on validation, with their values.
        layout: settings that only lay out the work, such as a micro-batch size, and so are no part of a budget.
        asks: settings that decide how a tuned model is asked, and so may be others than its adapter was tuned with.
    """

    name: str
    source: str
    config: type[Strict]
    build: Callable[[Any], System]
    tasks: tuple[str, ...] = ("next-item",)
    needs: tuple[Need, ...] = ()
    llm: Literal["none", "untuned", "LoRA-tuned", "fully tuned"] = "none"
    conventional: bool = True
    grid: dict[str, tuple[float, ...]] = field(default_factory=dict)
    layout: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


_REGISTER: dict[str, SystemSpec] = {}


def register(spec: SystemSpec) -> SystemSpec:
    """Make a system known by name.

    Raises:
        InputError: the name is taken.
    """
    if spec.name in _REGISTER:
        raise InputError(f"system {spec.name!r} is registered twice; choose another name")
    _REGISTER[spec.name] = spec
    return spec


def load_plugins() -> None:
    """Import what other packages register under the entry point group ``llmrec_harness.systems``.

    Raises:
        InputError: a package cannot be imported.
    """
    for point in entry_points(group="llmrec_harness.systems"):
        try:
            point.load()
        except Exception as error:
            raise InputError(f"plug-in {point.name} ({point.value}): {type(error).__name__}: {error}") from error


def systems() -> dict[str, SystemSpec]:
    """All registered systems by name."""
    return dict(sorted(_REGISTER.items()))


def find(name: str) -> SystemSpec:
    """The system of that name.

    Raises:
        InputError: there is none.
    """
    if name not in _REGISTER:
        raise InputError(f"system {name!r} is unknown; known: {', '.join(sorted(_REGISTER))}")
    return _REGISTER[name]


def expect(weights: dict[str, Tensor], shapes: dict[str, torch.Size]) -> None:
    """Hold given weights against the names and shapes that a model has.

    Raises:
        InputError: they differ; names the first tensor that does.
    """
    found = {name: value.shape for name, value in weights.items()}
    for name in sorted(found.keys() | shapes.keys()):
        if found.get(name) != shapes.get(name):
            has, needs = (
                "none" if shape is None else str(list(shape)) for shape in (found.get(name), shapes.get(name))
            )
            raise InputError(f"weights: tensor {name} is {has}; this model's is {needs}")


def as_padded(rows: list[npt.NDArray[np.int32]], window: int) -> Tensor:
    """The last ``window`` items of each row, left-padded with 0 to the longest: shape [row, time]."""
    longest = max((min(len(row), window) for row in rows), default=0)
    padded = np.zeros((len(rows), max(longest, 1)), dtype=np.int64)
    for line, row in zip(padded, rows, strict=True):
        if recent := len(row[-window:]):
            line[-recent:] = row[-window:]
    return torch.from_numpy(padded)
