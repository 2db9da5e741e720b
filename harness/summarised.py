"""What a run keeps of the summaries that its system used, and tells of them: whether they leak, how good they are."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.data.dataset import Dataset
from harness.data.splits import Split
from harness.llm import leakage, summary_statistics
from harness.llm.summary import History, Summarises
from harness.system import System
from harness.tasks.candidates import CandidateRanking
from harness.tasks.next_item import NextItem


def notes(
    system: System, split: Split, asked: tuple[NextItem | CandidateRanking, ...], seed: int
) -> dict[str, float | int | str]:
    """Leakage and statistics of the summaries; nothing for a system that has none.

    Args:
        system: has answered all queries.
        split: the training cases.
        asked: the validation and the test queries.
        seed: the run's.
    """
    ranked = [task for task in asked if isinstance(task, CandidateRanking)]
    if not isinstance(system, Summarises) or not ranked:
        return {}
    summaries = system.summaries()
    leaks = leakage.check(summaries, targets(split, ranked), ranked[0].dataset.titles, seed)
    return leaks | summary_statistics.describe(summaries)


def write(system: System, dataset: Dataset, path: Path) -> None:
    """Write every summary with its user and the items that it was made of, all three as the data names them."""
    if not isinstance(system, Summarises):
        return
    found = system.summaries()
    histories = sorted(found.texts, key=lambda history: (history.user, history.items))
    table = {
        "user": [dataset.raw_users[history.user] for history in histories],
        "items": [[dataset.raw_items[item] for item in found.read[history]] for history in histories],
        "summary": [found.texts[history] for history in histories],
    }
    pq.write_table(pa.table(table), path, compression="zstd")


def targets(split: Split, asked: list[CandidateRanking]) -> dict[History, int]:
    """Every history that is learnt from or asked about, cut to the window, and the item that came next."""
    window = asked[0].window
    found: dict[History, int] = {}
    for user in split.cases.tolist():
        *items, target = split.train[user].tolist()
        found[History(user, tuple(items[-window:]))] = target
    for task in asked:
        for user, target in zip(task.users.tolist(), task.targets.tolist(), strict=True):
            found[History(user, tuple(task.history(user)[-window:].tolist()))] = target
    return found
