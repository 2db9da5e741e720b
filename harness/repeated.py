"""What a run's metrics are without the cases whose target already stands in their own history."""

import numpy as np

from harness import metrics
from harness.outcomes import Outcomes
from harness.tasks.candidates import CandidateRanking

SHOWN = ("Recall", "MRR")


def notes(task: CandidateRanking, answered: Outcomes) -> dict[str, float | int | str]:
    """How many such cases there are and, where there are some but not all, the exact metrics of the others.

    Args:
        task: the cases that were asked.
        answered: their outcomes, in the same order.
    """
    histories = map(task.history, task.users.tolist())
    repeated = np.array([target in history for history, target in zip(histories, task.targets, strict=True)])
    found: dict[str, float | int | str] = {"cases_with_target_in_history": int(repeated.sum())}
    if repeated.any() and not repeated.all():
        others = answered.take(~repeated)
        found |= {
            f"{metric}@{k}_without_these": metrics.estimate(others, metric, k)
            for metric in SHOWN
            for k in metrics.CUTOFFS["candidates"]
        }
    return found
