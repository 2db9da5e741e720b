"""Probes: one thing about a run changed on purpose, to see what its score hangs on.

``order:*`` ask a trained re-ranker again with the candidates in another order; ``permute-ids`` gives the items other
ids before training; ``label-blind`` trains twice, the second time with other test targets, and compares the scores;
``ceiling`` puts every retrieved target first.
"""

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness import blind, positions
from harness.config import RELEASED, Probe, RunConfig
from harness.data.dataset import Dataset, Ids, Sequences
from harness.errors import InputError
from harness.record import FitRecord, ModelRecord
from harness.seeds import rng
from harness.store import Run
from harness.system import Context, Queries, SystemSpec

OF_TRAINING = ("permute-ids", "label-blind")
NOT_FOR_CANDIDATES = {
    "order": "task candidates shows them in a drawn order already",
    "permute-ids": "task candidates draws them by their ids, so other ids would be asked other queries",
    "ceiling": "every target of task candidates is among them, so the ceiling is 1",
}


def of_name(name: str) -> Probe:
    """The probe of that name.

    Raises:
        InputError: there is none.
    """
    for probe in get_args(Probe):
        if probe == name:
            return probe  # type: ignore[no-any-return]
    raise InputError(f"--probe {name}: unknown; known: {', '.join(get_args(Probe))}")


def is_order(probe: Probe | None) -> bool:
    """Whether a probe shows the candidates in an order that it names."""
    return probe is not None and probe.startswith("order:")


def check(config: RunConfig, spec: SystemSpec) -> None:
    """Refuse what cannot be.

    Raises:
        InputError: the candidates' order, of a system that is shown none; a probe of training, of a system that is
            not trained or whose training asks a retriever that knows the old ids; or a probe that the task
            ``candidates`` has no use for.
    """
    probe, settings = config.probe, config.settings
    if probe and config.task.name == "candidates" and probe != "label-blind":
        raise InputError(f"--probe {probe}: {NOT_FOR_CANDIDATES[probe.partition(':')[0]]}; take task next-item")
    if probe in OF_TRAINING and settings.get("adapter") not in (None, RELEASED):
        raise InputError(f"--probe {probe}: is about training, which an adapter skips; tune (adapter=null)")
    if probe == "permute-ids" and settings.get("train_candidates") == "retrieved":
        raise InputError(f"--probe {probe}: its retriever knows the old ids; leave out train_candidates=retrieved")
    if is_order(probe) and "retriever" not in spec.needs:
        raise InputError(f"--probe {probe}: system {spec.name} ranks the whole catalogue; it takes a re-ranker")


def new_ids(n_items: int, seed: int) -> Ids:
    """Each item's id under ``permute-ids``, drawn from ``rng(seed, "item ids")``: shape [item + 1], 0 stays 0."""
    drawn = rng(seed, "item ids").permutation(n_items) + 1
    return np.concatenate([[0], drawn]).astype(np.int32)


def renumbered(dataset: Dataset, ids: Ids) -> Dataset:
    """The data set with other item ids (shape [item + 1]); titles, further fields and raw ids move along."""
    old = np.argsort(ids)

    def moved(column: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(column[item] for item in old)

    return replace(
        dataset,
        sequences=Sequences(ids[dataset.sequences.items], dataset.sequences.offsets),
        titles=moved(dataset.titles),
        raw_items=moved(dataset.raw_items),
        fields={name: moved(column) for name, column in dataset.fields.items()},
    )


def shown(config: RunConfig, lists: Ids, targets: Ids, n_items: int) -> Ids:
    """A retriever's lists as a run's probe shows them; as they are without one.

    Args:
        config: names the probe and the seed that it draws from.
        lists: each user's items in the retriever's order, shape [user, candidate].
        targets: each user's target, shape [user]; read by ``order:target-last`` alone.
        n_items: size of the catalogue.
    """
    match config.probe:
        case "permute-ids":
            return new_ids(n_items, config.seed)[lists]
        case "order:reversed":
            return lists[:, ::-1]
        case "order:shuffled":
            rows = enumerate(lists, start=1)
            return np.stack([rng(config.seed, "candidate order", user).permutation(row) for user, row in rows])
        case "order:target-last":
            target_last = np.argsort(lists == targets[:, None], axis=1, kind="stable")
            return np.take_along_axis(lists, target_last, axis=1)
        case _:
            return lists


class Perfect:
    """The system of ``ceiling``: knows every target (shape [user]) and scores it 1, all other candidates 0."""

    def __init__(self, targets: npt.NDArray[np.int32]) -> None:
        self.targets = torch.from_numpy(targets.astype(np.int64))

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Nothing to learn."""
        return FitRecord()

    def score(self, queries: Queries) -> Tensor:
        """Shape [query, candidate]."""
        assert queries.candidates is not None
        return (queries.candidates == self.targets.to(queries.user.device)[queries.user - 1][:, None]).float()

    def weights(self) -> dict[str, Tensor]:
        """None."""
        return {}

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Nothing to restore."""

    def backbone(self) -> ModelRecord | None:
        """None."""
        return None


def findings(run: Run) -> dict[str, list[dict[str, Any]]]:
    """What a run's probe shows beside its metrics, as rows: ``by_position``, ``label_blind``, or nothing more."""
    if is_order(run.config.probe):
        return {"by_position": positions.by_position(run)}
    if run.config.probe == "label-blind":
        return {"label_blind": [blind.finding(run)]}
    return {}
