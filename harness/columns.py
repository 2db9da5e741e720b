"""The columns of a table or the points of a figure: the runs behind each, what its cells share, their numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import commits, metrics, stats
from harness.config import RunConfig
from harness.evidence import Evidence, gather, restrict
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable, Sweep
from harness.resolve import follows, is_paper_budget, test_limit
from harness.selection import Selection
from harness.store import Run
from harness.verdict import Likeness, judge


@dataclass(frozen=True)
class Column:
    """What was run for a column of a table, or for a point of a figure's line.

    Attributes:
        dataset, system: as the paper prints them.
        x: the value of a figure's setting; None in a table.
        evidence: the runs; empty where there are none.
        like: what they share with the paper's.
    """

    dataset: str
    system: str
    x: str | int | None
    evidence: Evidence
    like: Likeness | None


def columns(
    paper: Paper,
    spec: AccuracyTable | Sweep,
    runs: Sequence[Run],
    selections: Sequence[Selection],
    earlier: Sequence[Run] = (),
) -> Iterator[Column]:
    """Data sets, then systems, then values of the setting, in the paper's order.

    Args:
        paper: the paper.
        spec: its table or figure.
        runs: all finished runs there are; those that were asked what it asks, and are no variant, are chosen from.
        selections: all searches there are.
        earlier: runs that count as tested before a search, and are not shown.
    """
    asked = [run for run in runs if _was_asked(run.config, spec.task()) and not paper.varies(run.config)]
    for dataset in spec.datasets():
        for system in spec.systems(dataset):
            for value in spec.values if isinstance(spec, Sweep) else (None,):
                own = asked
                if isinstance(spec, Sweep):
                    own = [run for run in asked if _is_point(run.config, spec.setting, value)]
                evidence = Evidence()
                if name := paper.systems.get(system):
                    evidence = gather(own, name, paper.datasets[dataset].names, selections, earlier)
                if isinstance(spec, AccuracyTable) and spec.users:
                    evidence = restrict(evidence, asked, paper.systems[spec.users.system], spec.users.among, selections)
                yield Column(dataset, system, value, evidence, likeness(paper, dataset, evidence, asked))


def _was_asked(config: RunConfig, task: dict[str, str]) -> bool:
    """Whether a run was asked what a table asks, of all test queries or as many as its profile asks of its data set."""
    own = config.task.model_dump()
    return task.items() <= own.items() and own["test_limit"] == test_limit(config)


def _is_point(config: RunConfig, setting: str, value: str | int | None) -> bool:
    """Whether a run has a figure's value of the setting, and is its profile's own in all the others."""
    return config.settings.get(setting) == value and follows(config, config.profile, aside=setting)


def likeness(paper: Paper, dataset: str, evidence: Evidence, runs: Sequence[Run]) -> Likeness | None:
    """What the runs of a column share with the paper's.

    The budget includes that of a re-ranker's retriever, and of the runs that say which users count.
    """
    if not (shown := evidence.runs):
        return None
    wanted = {run.config.retriever.run for run in shown if run.config.retriever}
    retrievers = [run for run in runs if run.record.run in wanted]
    return Likeness(
        data=all(run.config.dataset == paper.datasets[dataset].name for run in shown),
        backbone=all(run.record.model is None or run.record.model.name == paper.backbone for run in shown),
        budget=len(retrievers) == len(wanted)
        and all(is_paper_budget(run.config) for run in (*shown, *retrievers, *evidence.finders)),
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
        "tested": evidence.tested,
        "search": evidence.search,
        **provenance(runs),
    }


def provenance(shown: Sequence[Run]) -> dict[str, Any]:
    """Which runs, from which commits."""
    return {
        "runs": tuple(run.record.run for run in shown),
        "commits": tuple(sorted({sha for run in shown for sha in run.record.commits()})),
        "dirty": commits.worst(run.record.dirty for run in shown),
    }


def reduced(
    evidence: Evidence,
    metric: str,
    k: int,
    published: float | None,
    like: Likeness | None,
    *,
    estimator: str,
    declared: str,
) -> dict[str, Any]:
    """The numbers of a cell and their verdict.

    Args:
        evidence: the runs.
        metric: what is shown.
        k: its cut-off.
        published: the paper's number, or None where it prints none.
        like: what the runs share with the paper's.
        estimator: reduces outcomes to the number that is shown.
        declared: reduces them to the number that is judged: the one that the paper's file has for the column.
    """
    if not evidence.runs:
        return {}
    values = {
        how: [metrics.estimate(outcomes, metric, k, how) for outcomes in evidence.outcomes]
        for how in {estimator, declared, "exact"}
    }
    mean, centre, exact = (float(np.mean(values[how])) for how in (estimator, declared, "exact"))
    half = None
    if len(evidence.outcomes) > 1:
        low, high = stats.seeds_interval(values[estimator])
        half = stats.prediction_half_width(values[declared])
    else:
        outcomes = evidence.outcomes[0]
        per_query = metrics.per_query(outcomes, metric, k, estimator)
        weights = metrics.query_weights(len(outcomes), estimator)
        low, high = stats.users_interval(per_query, weights, evidence.runs[0].config.seed)
    return {
        "mean": mean,
        "low": low,
        "high": high,
        "interval": "users" if half is None else "seeds",
        "predict_low": None if half is None else centre - half,
        "predict_high": None if half is None else centre + half,
        "verdict": judge(like, published, centre, half),
        "estimator": estimator,
        "exact_mean": exact,
        "difference": None if published is None else mean - published,
    }
