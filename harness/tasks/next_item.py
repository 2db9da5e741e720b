"""Next item over the whole catalogue: one query a user, the target is the item that came next.

Memory does not grow with users: scores exist for one batch of queries at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.config import TaskConfig
from harness.data.dataset import Dataset, Ids
from harness.data.splits import Split
from harness.outcomes import Outcomes
from harness.system import Queries, Scorer, as_padded
from harness.tasks import ranking
from harness.tasks.sampling import at_most

Part = Literal["validation", "test"]
BATCH = 256


@dataclass(frozen=True)
class NextItem:
    """The queries of one part of a leave-one-out split, one a user, in the order of user ids.

    Attributes:
        dataset: whose sequences hold the histories.
        targets: the item to be ranked, shape [user].
        held_out: how many items at the end of each sequence the query must not see.
        config: window, exclusion and list length.
    """

    dataset: Dataset
    targets: Ids
    held_out: int
    config: TaskConfig

    def __len__(self) -> int:
        return len(self.targets)

    def history(self, user: int) -> Ids:
        """Everything that the user did before the target, oldest first."""
        return self.dataset.sequences[user][: -self.held_out]

    def queries(self, users: npt.NDArray[np.int64], device: torch.device) -> Queries:
        """The users' histories, cut to the window."""
        padded = as_padded([self.history(int(user)) for user in users], self.config.window)
        return Queries(torch.tensor(users, device=device), padded.to(device))

    def excluded(self, users: npt.NDArray[np.int64], device: torch.device) -> Tensor:
        """Items that may not be recommended, 0 for none, shape [query, excluded]."""
        return excluded([self.history(int(user)) for user in users], self.config).to(device)

    def target_seen(self) -> int:
        """Queries whose target is also among the items to exclude."""
        seen = 0
        for users in self.batches(self.users()):
            target = torch.from_numpy(self.targets[users - 1].astype(np.int64))
            seen += int((self.excluded(users, torch.device("cpu")) == target[:, None]).any(dim=1).sum())
        return seen

    def users(self) -> npt.NDArray[np.int64]:
        """Ids of the users, ascending."""
        return np.arange(1, len(self) + 1)

    def batches(self, users: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
        """Users in batches of like history length, so that little of a batch is padding."""
        lengths = np.diff(self.dataset.sequences.offsets)[users - 1]
        users = users[np.argsort(lengths, kind="stable")]
        return (users[start : start + BATCH] for start in range(0, len(users), BATCH))


def excluded(histories: list[Ids], config: TaskConfig) -> Tensor:
    """Items that may not be recommended after the histories, 0 for none, shape [history, excluded]."""
    if config.exclude == "none":
        return torch.zeros((len(histories), 1), dtype=torch.int64)
    return as_padded(histories, config.window if config.exclude == "window" else max(map(len, histories)))


def part(dataset: Dataset, split: Split, name: Part, config: TaskConfig) -> NextItem:
    """The validation queries (train items as history) or the test queries (train and validation items)."""
    if name == "validation":
        return NextItem(dataset, split.validation, 2, config)
    return NextItem(dataset, split.test, 1, config)


def sample(task: NextItem, limit: int | None, seed: int) -> npt.NDArray[np.int64]:
    """The users, by id; at most ``limit`` of them, drawn from the seed."""
    return at_most(task.users(), limit, seed)


def answer(
    scorer: Scorer,
    task: NextItem,
    device: torch.device,
    keep: int = 0,
    users: npt.NDArray[np.int64] | None = None,
) -> tuple[Outcomes, Ids]:
    """Ask a system the users' queries.

    Args:
        scorer: the system's scores.
        task: the queries.
        device: where they are put.
        keep: how many of each user's best items to return.
        users: whose queries; None: all.

    Returns:
        Outcomes in the order of the users, and each one's best items, best first, shape [user, keep].
    """
    asked = task.users() if users is None else users
    rank, ties = np.zeros((2, len(task)), dtype=np.int64)
    keep = min(keep, task.dataset.n_items)
    lists = np.zeros((len(task), keep), dtype=np.int32)
    for batch in task.batches(asked):
        rows = batch - 1
        target = torch.from_numpy(task.targets[rows].astype(np.int64)).to(device)
        with torch.inference_mode():
            scores = ranking.check_shape(scorer(task.queries(batch, device)), (len(batch), task.dataset.n_items + 1))
            scores = ranking.exclude(scores, task.excluded(batch, device), target)
            ranks, tied = ranking.rank_of(scores, target)
            if keep:
                lists[rows] = ranking.top_items(scores, keep).cpu().numpy()
        rank[rows], ties[rows] = ranks.cpu().numpy(), tied.cpu().numpy()
    rows = asked - 1
    return Outcomes(asked, rank[rows], ties[rows], np.ones(len(asked), dtype=bool)), lists[rows]
