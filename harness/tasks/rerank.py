"""Re-ranking a retriever's lists: only queries whose target was retrieved are asked.

The others keep the retriever's rank, which lies beyond the list, so that a metric over all users is
coverage times the metric over the asked ones (LlamaRec, section 4.0.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from harness.config import TaskConfig
from harness.data.dataset import Ids
from harness.errors import InputError
from harness.outcomes import Outcomes
from harness.system import Queries, Scorer, as_padded
from harness.tasks import ranking
from harness.tasks.next_item import BATCH, NextItem, excluded
from harness.tasks.sampling import at_most


@dataclass(frozen=True)
class Retrieved:
    """What a retriever's run keeps of one part of the split.

    Attributes:
        lists: each user's best items, best first, shape [user, candidate].
        outcomes: the retriever's own ranks, one query a user.
    """

    lists: Ids
    outcomes: Outcomes


def check(parts: Sequence[Ids], candidates: int, dataset: str) -> None:
    """Refuse a retriever's lists, each part's of shape [user, item], where not every user's has that many items.

    Raises:
        InputError: a list is shorter; it says how many would fit in all.
    """
    shortest = min(int((lists > 0).sum(axis=1).min()) for lists in parts)
    if shortest < candidates:
        raise InputError(
            f"{dataset}: the retriever's lists are shorter than task.candidates={candidates}; {shortest} would fit"
        )


def sample(task: NextItem, retrieved: Retrieved, limit: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Users whose target was retrieved, by id; at most ``limit`` of them, drawn from the seed."""
    users = np.flatnonzero((retrieved.lists == task.targets[:, None]).any(axis=1)) + 1
    return at_most(users, limit, seed)


def answer(
    scorer: Scorer, task: NextItem, retrieved: Retrieved, users: npt.NDArray[np.int64], device: torch.device
) -> Outcomes:
    """Ask a re-ranker the given users' queries, candidates in the retriever's order.

    Returns:
        Outcomes of those users only, in their order.
    """
    lists = retrieved.lists[users - 1].astype(np.int64)
    rank, ties = np.zeros((2, len(users)), dtype=np.int64)
    for start in range(0, len(users), BATCH):
        chunk = slice(start, start + BATCH)
        queries = replace(task.queries(users[chunk], device), candidates=torch.tensor(lists[chunk], device=device))
        target = torch.from_numpy(task.targets[users[chunk] - 1].astype(np.int64)).to(device)
        rank[chunk], ties[chunk] = ranking.ask(scorer, queries, target)
    return Outcomes(users, rank, ties, np.ones(len(users), dtype=bool))


def positions(task: NextItem, retrieved: Retrieved, users: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """1-based position of each user's target in the user's list, shape [user]; the list must hold it."""
    position: npt.NDArray[np.int64] = (retrieved.lists == task.targets[:, None]).argmax(axis=1) + 1
    return position[users - 1]


def complete(asked: Outcomes, retrieved: Retrieved) -> Outcomes:
    """Outcomes of all users: the asked ones, and the retriever's rank for those that were withheld."""
    whole = Outcomes(
        retrieved.outcomes.query,
        retrieved.outcomes.rank.copy(),
        retrieved.outcomes.ties.copy(),
        np.zeros(len(retrieved.outcomes), dtype=bool),
    )
    rows = asked.query - 1
    whole.rank[rows], whole.ties[rows], whole.asked[rows] = asked.rank, asked.ties, True
    return whole


def retrieve(scorer: Scorer, history: Ids, answer: int, config: TaskConfig, device: torch.device) -> Ids:
    """What a retriever finds for one history, with the items left out that the task would leave out.

    Args:
        scorer: the retriever's, over the whole catalogue.
        history: everything before the answer, oldest first.
        answer: the item that came next, which is never left out.
        config: window, exclusion and list length.
        device: where the query is put.

    Returns:
        Item ids, best first, shape [candidate].
    """
    window, target = as_padded([history], config.window).to(device), torch.tensor([answer], device=device)
    with torch.inference_mode():
        scores = scorer(Queries(torch.zeros(1, dtype=torch.int64, device=device), window))
        allowed = ranking.exclude(scores, excluded([history], config).to(device), target)
        items: Ids = ranking.top_items(allowed, config.candidates)[0].cpu().numpy().astype(np.int32)
    return items[items > 0]
