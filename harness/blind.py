"""The probe ``label-blind``: do a system's scores change when the test targets do?

It is trained twice from one seed, the second time in a world where every test target is another item: the data set,
the retriever's run and the home that it is handed know nothing of the true ones. Histories and validation stay, so an
honest system scores every test query alike to the bit. A system that goes round what it is handed (a file by its own
path, the objects of the interpreter) is not caught.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness import store
from harness.data.dataset import Dataset, Sequences
from harness.errors import InputError, WorkError
from harness.seeds import rng
from harness.store import Run
from harness.system import Queries, Scorer
from harness.tasks.ranking import check_finite

SCORES, DIFFERENCE = "scores_with_other_targets", "largest_score_difference"  # notes of the run's record


def with_other_targets(dataset: Dataset, seed: int) -> Dataset:
    """The data set with every test target, a user's last item, replaced by another.

    It is drawn uniformly from all others by ``rng(seed, "other targets")``; what came before it stays, and so do the
    users of a case set's other parts.

    Raises:
        InputError: there is no other item.
    """
    if dataset.n_items < 2:
        raise InputError(f"{dataset.name}: has one item only; label-blind needs another one in its place")
    tested = slice(None) if dataset.parts is None else np.array(dataset.parts[1:]) == "test"
    last = dataset.sequences.offsets[1:][tested] - 1
    items = dataset.sequences.items.copy()
    steps = rng(seed, "other targets").integers(1, dataset.n_items, size=len(last))
    items[last] = (items[last] - 1 + steps) % dataset.n_items + 1
    return replace(dataset, sequences=Sequences(items, dataset.sequences.offsets))


def without_ranks(retriever: Run, folder: Path) -> Run:
    """A retriever's run that lacks its test outcomes: ranks tell the targets among its lists."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in retriever.record.files.keys() & {store.VALIDATION, store.LISTS, store.WEIGHTS}:
        shutil.copyfile(retriever.folder / name, folder / name)
    return replace(retriever, folder=folder)


class BothScores:
    """A scorer that asks two systems alike, answers with the first one's scores, and notes how far apart they are.

    Attributes:
        equal: whether all scores so far were equal to the bit.
        largest: the largest difference so far.
    """

    def __init__(self, one: Scorer, other: Scorer) -> None:
        self.one, self.other = one, other
        self.equal, self.largest = True, 0.0

    def __call__(self, queries: Queries) -> Tensor:
        """The first system's scores."""
        scores, others = self.one(queries), self.other(queries)
        first = 1 if queries.candidates is None else 0  # column 0 of a whole catalogue is padding
        difference = (check_finite(scores[:, first:]) - check_finite(others[:, first:])).abs().max()
        self.equal &= torch.equal(scores[:, first:], others[:, first:])
        self.largest = max(self.largest, float(difference))
        return scores

    def notes(self) -> dict[str, float | int | str]:
        """What the record keeps."""
        return {SCORES: "equal" if self.equal else "differ", DIFFERENCE: self.largest}


def finding(run: Run) -> dict[str, bool | float]:
    """What ``harness run`` shows of a label-blind run."""
    notes = run.record.fit.notes
    return {"equal": notes[SCORES] == "equal", "largest_difference": float(notes[DIFFERENCE])}


def check(run: Run) -> None:
    """Fail where a label-blind run found scores that depend on the targets.

    Raises:
        WorkError: they differ.
    """
    notes = run.record.fit.notes
    if notes.get(SCORES) == "differ":
        raise WorkError(
            f"label-blind: {run.config.system}'s scores differ by up to {notes[DIFFERENCE]:.3g} once the test targets "
            "are others: it reads them, or training twice does not give the same twice"
        )
