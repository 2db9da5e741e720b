"""What a run's metrics are without the cases whose target already stands in their own history."""

import numpy as np

from harness import metrics
from harness.outcomes import Outcomes
from harness.tasks.candidates import CandidateRanking

SHOWN = ("Recall", "MRR")
WITHOUT = "without_targets_in_history"


def notes(task: CandidateRanking, answered: Outcomes) -> dict[str, float | int | str]:
    """Exact metrics of the other cases, where some are such and some are not.

    Args:
        task: the cases that were asked.
        answered: their outcomes, in the same order.
    """
    histories = map(task.history, task.users.tolist())
    repeated = np.array([target in history for history, target in zip(histories, task.targets, strict=True)])
    if not repeated.any() or repeated.all():
        return {}
    others = answered.take(~repeated)
    return {
        f"{metric}@{k}_{WITHOUT}": metrics.estimate(others, metric, k)
        for metric in SHOWN
        for k in metrics.CUTOFFS["candidates"]
    }
