"""Candidate ranking: every query offers the target among items drawn from the catalogue, and asks for their order.

LLM-TRSR (Zheng et al., WWW 2024, section 4.1) offers 1 + 20. Which items are drawn, and in which order they stand,
hangs on the data set, the seed and the task alone, so that every system answers the same queries.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from harness.config import TaskConfig
from harness.data.dataset import Dataset, Ids
from harness.data.splits import Split
from harness.errors import InputError
from harness.outcomes import Outcomes
from harness.seeds import rng
from harness.system import Queries, Scorer, as_padded
from harness.tasks import negatives, ranking
from harness.tasks.next_item import BATCH, Part
from harness.tasks.sampling import at_most, spread


@dataclass(frozen=True)
class CandidateRanking:
    """The queries of one part of a split, one for each user with a target there, in the order of user ids.

    Attributes:
        dataset: whose sequences hold the histories.
        users: user ids, shape [query].
        targets: the item that came next, shape [query].
        offered: the candidates in the order that systems see, shape [query, 1 + task.candidates].
        held_out: how many items at the end of each sequence the query must not see.
        window: how many of the most recent history items a query holds.
    """

    dataset: Dataset
    users: npt.NDArray[np.int64]
    targets: Ids
    offered: Ids
    held_out: int
    window: int

    def __len__(self) -> int:
        return len(self.users)

    def history(self, user: int) -> Ids:
        """Everything that the user did before the target, oldest first."""
        return self.dataset.sequences[user][: -self.held_out]

    def queries(self, rows: slice, device: torch.device) -> Queries:
        """Some of the queries, histories cut to the window."""
        users, offered = self.users[rows], self.offered[rows].astype(np.int64)
        history = as_padded([self.history(int(user)) for user in users], self.window)
        return Queries(torch.tensor(users, device=device), history.to(device), torch.tensor(offered, device=device))

    def target_seen(self) -> int:
        """Queries whose target already stands in their own history."""
        return sum(target in self.history(int(user)) for user, target in zip(self.users, self.targets, strict=True))


def part(dataset: Dataset, split: Split, name: Part, config: TaskConfig, seed: int) -> CandidateRanking:
    """The validation or the test queries, the candidates of each drawn by ``rng(seed, "candidates", name, user)``.

    Raises:
        InputError: the catalogue has too few items.
    """
    targets = split.validation if name == "validation" else split.test
    users = np.flatnonzero(targets) + 1
    held_out = 2 if name == "validation" and dataset.parts is None else 1
    offered = draw(dataset, split, users, targets[users - 1], name, config, seed)
    return CandidateRanking(dataset, users, targets[users - 1], offered, held_out, config.window)


def draw(
    dataset: Dataset,
    split: Split,
    users: npt.NDArray[np.int64],
    targets: Ids,
    name: Part,
    config: TaskConfig,
    seed: int,
) -> Ids:
    """Each user's target among its negatives, shuffled; no item stands twice: shape [query, 1 + task.candidates].

    Raises:
        InputError: the catalogue has too few items.
    """
    n_items, count = dataset.n_items, config.candidates
    if n_items <= count:
        raise InputError(f"{dataset.name}: has {n_items} items; task.candidates={count} needs at least {count + 1}")
    ranked = negatives.by_popularity(split.train, n_items, seed) if config.negatives == "popularity" else None
    offered = np.empty((len(users), count + 1), dtype=np.int32)
    for row, user, target in zip(offered, users.tolist(), targets.tolist(), strict=True):
        random = rng(seed, "candidates", name, user)
        if ranked is None:
            others = negatives.uniform(target, n_items, count, random)
        else:
            others = negatives.matched(target, ranked, count, random)
        row[:] = random.permutation(np.append(others, np.int32(target)))
    return offered


def sample(task: CandidateRanking, limit: int | None, seed: int) -> CandidateRanking:
    """The validation queries, or at most ``limit`` of them, drawn from the seed; the order stays that of user ids."""
    return _rows(task, at_most(np.arange(len(task)), limit, seed))


def limited(task: CandidateRanking, limit: int | None) -> CandidateRanking:
    """The test queries, or at most ``limit`` of them, of the same users whatever the seed."""
    return _rows(task, spread(len(task), limit))


def _rows(task: CandidateRanking, rows: npt.NDArray[np.int64]) -> CandidateRanking:
    return replace(task, users=task.users[rows], targets=task.targets[rows], offered=task.offered[rows])


def answer(scorer: Scorer, task: CandidateRanking, device: torch.device) -> Outcomes:
    """Ask a system every query.

    Returns:
        Outcomes in the order of user ids; a query's id is its user's.
    """
    rank, ties = np.zeros((2, len(task)), dtype=np.int64)
    for start in range(0, len(task), BATCH):
        rows = slice(start, start + BATCH)
        target = torch.from_numpy(task.targets[rows].astype(np.int64)).to(device)
        rank[rows], ties[rows] = ranking.ask(scorer, task.queries(rows, device), target)
    return Outcomes(task.users, rank, ties, np.ones(len(task), dtype=bool))
