"""What a run has to tell of itself once every query is answered, beside the outcomes."""

from harness.data.splits import Split
from harness.llm import leakage, summary_statistics
from harness.llm.summary import History, Summarises
from harness.record import FitRecord
from harness.system import Noted, System
from harness.tasks.candidates import CandidateRanking


def noted(fit: FitRecord, system: System, split: Split, asked: list[CandidateRanking], seed: int) -> FitRecord:
    """The record with what the system found out by answering, and with the check of the summaries that it used.

    Args:
        fit: how the system was trained.
        system: has answered all queries.
        split: the training cases.
        asked: the validation and the test queries.
        seed: the run's.
    """
    notes = dict(fit.notes)
    if isinstance(system, Noted):
        notes |= system.notes()
    if isinstance(system, Summarises) and asked:
        summaries = system.summaries()
        notes |= leakage.check(summaries, targets(split, asked), asked[0].dataset.titles, seed)
        notes |= summary_statistics.describe(summaries)
    return fit.model_copy(update={"notes": notes})


def targets(split: Split, asked: list[CandidateRanking]) -> dict[History, int]:
    """Every history that is learnt from or asked about, cut to the window, and the item that came next."""
    window, found = asked[0].window, {}
    for user in split.cases.tolist():
        *items, target = split.train[user].tolist()
        found[History(user, tuple(items[-window:]))] = target
    for task in asked:
        for user, target in zip(task.users.tolist(), task.targets.tolist(), strict=True):
            found[History(user, tuple(task.history(user)[-window:].tolist()))] = target
    return found
