"""What the cells of one column have in common, and the numbers of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness import metrics, stats
from harness.evidence import Evidence
from harness.papers.paper import Paper
from harness.resolve import is_paper_budget
from harness.store import Run
from harness.verdict import Likeness, judge


def likeness(paper: Paper, dataset: str, shown: Sequence[Run], runs: Sequence[Run]) -> Likeness | None:
    """What the runs of a column share with the paper's; a re-ranker's budget includes its retriever's."""
    if not shown:
        return None
    wanted = {run.config.retriever.run for run in shown if run.config.retriever}
    retrievers = [run for run in runs if run.record.run in wanted]
    return Likeness(
        data=all(run.config.dataset == paper.datasets[dataset].name for run in shown),
        backbone=all(run.record.model is None or run.record.model.name == paper.backbone for run in shown),
        budget=len(retrievers) == len(wanted) and all(is_paper_budget(run.config) for run in [*shown, *retrievers]),
    )


def shared(evidence: Evidence) -> dict[str, Any]:
    """What the cells of a column say of its runs."""
    runs = evidence.runs
    if not runs:
        return {}
    config, record = runs[0].config, runs[0].record
    return {
        "ran_dataset": config.dataset,
        "ran_system": config.system,
        "seeds": len(runs),
        "backbone": record.model.name if record.model else None,
        "profile": config.profile,
        "configurations": evidence.configurations,
        "tried": evidence.tried,
        **provenance(runs),
    }


def provenance(shown: Sequence[Run]) -> dict[str, Any]:
    """Which runs, from which commits."""
    return {
        "runs": tuple(run.record.run for run in shown),
        "commits": tuple(sorted({run.record.git_sha for run in shown if run.record.git_sha})),
        "dirty": any(run.record.dirty for run in shown),
    }


def reduced(
    evidence: Evidence, metric: str, k: int, estimator: str, published: float | None, like: Likeness | None
) -> dict[str, Any]:
    """The numbers of a cell and their verdict."""
    if not evidence.runs:
        return {}
    values = [metrics.estimate(outcomes, metric, k, estimator) for outcomes in evidence.outcomes]
    exact = [metrics.estimate(outcomes, metric, k) for outcomes in evidence.outcomes]
    mean = float(np.mean(values))
    half = None
    if len(values) > 1:
        low, high = stats.seeds_interval(values)
        half = stats.prediction_half_width(values)
    else:
        outcomes = evidence.outcomes[0]
        per_query = metrics.per_query(outcomes, metric, k, target_first=estimator == "target-first")
        weights = metrics.query_weights(len(outcomes), estimator)
        low, high = stats.users_interval(per_query, weights, evidence.runs[0].config.seed)
    return {
        "mean": mean,
        "low": low,
        "high": high,
        "interval": "users" if half is None else "seeds",
        "predict_low": None if half is None else mean - half,
        "predict_high": None if half is None else mean + half,
        "verdict": judge(like, published, mean, half),
        "estimator": estimator,
        "exact_mean": float(np.mean(exact)),
        "difference": None if published is None else mean - published,
    }
