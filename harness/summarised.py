"""What a run tells of the summaries that its system used: that they leak nothing, and how good they are."""

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
