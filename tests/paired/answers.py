"""Outcomes to compare."""

import numpy as np

from harness import metrics
from harness.metrics import Place
from harness.outcomes import Outcomes
from harness.seeds import rng
from tests.worlds import answered

WANTED = [Place(metric, k) for k in (5, 10) for metric in ("Recall", "MRR", "NDCG")]


def drawn(name: str, count: int, best: int = 1, worst: int = 30) -> Outcomes:
    return answered(rng(3, name).integers(best, worst, count).tolist())


def per_query(a: Outcomes, b: Outcomes, metric: str, k: int) -> np.ndarray:
    return metrics.per_query(a, metric, k) - metrics.per_query(b, metric, k)
