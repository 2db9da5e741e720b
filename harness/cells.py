"""Runs to the cells of a published table: mean, interval, published value and verdict."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness import metrics, stats
from harness.evidence import Evidence, gather, restrict
from harness.papers.paper import AccuracyTable, Paper, StatisticsTable, number
from harness.record import Statistics
from harness.resolve import is_paper_budget
from harness.selection import Selection
from harness.significance import CellTest, significance
from harness.store import Run
from harness.verdict import Likeness, Verdict, judge, judge_size


class Cell(BaseModel):
    """One number of a published table; None where a thing was not run or does not apply.

    Attributes:
        paper, table: the paper's name and its table's number.
        dataset, system: as the paper prints them; a statistic has no system.
        ran_dataset, ran_system: the harness's names of what was run.
        metric, k: e.g. ``NDCG`` and 10.
        published: the paper's number, and in ``printed`` its digits.
        mean: the reproduced number, over seeds.
        low, high: its 95 % interval, of the kind that ``interval`` names.
        predict_low, predict_high: 95 % prediction interval of one more run, which feeds the verdict.
        seeds: how many.
        backbone: the pretrained LLM that was run.
        estimator: how outcomes became ``mean``; ``exact_mean`` is the plain mean over users.
        difference: ``mean`` - ``published``.
        profile: of the runs.
        configurations: how many configurations there are runs of; :func:`harness.evidence.choose` says which is shown.
        tried: among how many configurations validation chose; 1 where nothing was searched.
        runs: identities of the runs behind the number.
        commits: what they were run from; ``dirty`` if any tree had changes.
        test: the paper's own system against this one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    paper: str
    table: str
    dataset: str
    system: str | None
    ran_dataset: str | None = None
    ran_system: str | None = None
    metric: str
    k: int | None
    published: float | None
    printed: str | None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    interval: Literal["seeds", "users"] | None = None
    predict_low: float | None = None
    predict_high: float | None = None
    seeds: int | None = None
    backbone: str | None = None
    verdict: Verdict = "not run"
    estimator: str | None = None
    exact_mean: float | None = None
    difference: float | None = None
    profile: str | None = None
    configurations: int | None = None
    tried: int | None = None
    runs: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    dirty: bool | None = None
    test: CellTest | None = None


def cells(
    paper: Paper,
    table: str,
    runs: Sequence[Run],
    estimator: str | None = None,
    selections: Sequence[Selection] = (),
) -> list[Cell]:
    """The cells of a table in the paper's order: data sets, then systems, then metrics.

    Args:
        paper: the paper.
        table: its table's number.
        runs: all finished runs there are; what belongs to the table is chosen from them.
        estimator: how to reduce outcomes; None takes what the paper's file declares for each column.
        selections: all searches there are.

    Raises:
        InputError: no such table or estimator, or a run's outcomes cannot be read.
    """
    spec = paper.table(table)
    if isinstance(spec, StatisticsTable):
        return list(_statistics(paper, table, spec, runs))
    return list(_accuracy(paper, table, spec, runs, estimator, selections))


def _accuracy(
    paper: Paper,
    table: str,
    spec: AccuracyTable,
    runs: Sequence[Run],
    estimator: str | None,
    selections: Sequence[Selection],
) -> Iterator[Cell]:
    columns = _columns(paper, spec, runs, selections)
    published = {
        (dataset, system, metrics.metric_at(label)): number(printed)[0] if (printed := row[system]) else None
        for dataset, rows in spec.published.items()
        for label, row in rows.items()
        for system in row
    }
    tests = significance(columns, paper.system, published, list(dict.fromkeys(at for _, _, at in published)))
    for (dataset, system), evidence in columns.items():
        likeness = _likeness(paper, dataset, evidence.runs, runs)
        how = estimator or spec.estimator(dataset, system)
        for label, row in spec.published[dataset].items():
            metric, k = metrics.metric_at(label)
            value = published[dataset, system, (metric, k)]
            yield Cell(
                paper=paper.id,
                table=table,
                dataset=dataset,
                system=system,
                metric=metric,
                k=k,
                published=value,
                printed=row[system],
                **_shared(evidence),
                **_reduced(evidence, metric, k, how, value, likeness),
                test=tests.get((dataset, system, (metric, k))),
            )


def _columns(
    paper: Paper, spec: AccuracyTable, runs: Sequence[Run], selections: Sequence[Selection]
) -> dict[tuple[str, str], Evidence]:
    """What stands behind each column, by data set and system as printed, in the paper's order."""
    columns = {}
    for dataset in spec.published:
        for system in spec.systems(dataset):
            evidence = Evidence()
            if name := paper.systems.get(system):
                evidence = gather(runs, name, paper.datasets[dataset].names, selections)
            if spec.users:
                evidence = restrict(evidence, runs, paper.systems[spec.users.system], spec.users.among, selections)
            columns[dataset, system] = evidence
    return columns


def _likeness(paper: Paper, dataset: str, shown: Sequence[Run], runs: Sequence[Run]) -> Likeness | None:
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


def _shared(evidence: Evidence) -> dict[str, Any]:
    """What the cells of a column say of its runs."""
    shown = evidence.runs
    if not shown:
        return {}
    config, record = shown[0].config, shown[0].record
    return {
        "ran_dataset": config.dataset,
        "ran_system": config.system,
        "seeds": len(shown),
        "backbone": record.model.name if record.model else None,
        "profile": config.profile,
        "configurations": evidence.configurations,
        "tried": evidence.tried,
        **_provenance(shown),
    }


def _provenance(shown: Sequence[Run]) -> dict[str, Any]:
    return {
        "runs": tuple(run.record.run for run in shown),
        "commits": tuple(sorted({run.record.git_sha for run in shown if run.record.git_sha})),
        "dirty": any(run.record.dirty for run in shown),
    }


def _reduced(
    evidence: Evidence, metric: str, k: int, estimator: str, published: float | None, likeness: Likeness | None
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
        "verdict": judge(likeness, published, mean, half),
        "estimator": estimator,
        "exact_mean": float(np.mean(exact)),
        "difference": None if published is None else mean - published,
    }


def _statistics(paper: Paper, table: str, spec: StatisticsTable, runs: Sequence[Run]) -> Iterator[Cell]:
    """Sizes of the data that any run of a set used; they have no seed and no interval."""
    for dataset, row in spec.published.items():
        names = paper.datasets[dataset].names
        shown = next((run for name in names for run in runs if run.config.dataset == name), None)
        for statistic, printed in row.items():
            published, digit = number(printed) if printed else (None, None)
            found: dict[str, Any] = {}
            if shown:
                size = _size(shown.record.statistics, statistic)
                found = {
                    "ran_dataset": shown.config.dataset,
                    "mean": size,
                    "verdict": judge_size(shown.config.dataset == names[0], published, digit, size),
                    "difference": None if published is None else size - published,
                    "profile": shown.config.profile,
                    **_provenance([shown]),
                }
            yield Cell(
                paper=paper.id,
                table=table,
                dataset=dataset,
                system=None,
                metric=statistic,
                k=None,
                published=published,
                printed=printed,
                **found,
            )


def _size(sizes: Statistics, statistic: str) -> float:
    match statistic:
        case "Length":
            return sizes.interactions / sizes.users
        case "Density":
            return sizes.interactions / (sizes.users * sizes.items)
        case _:
            return float(getattr(sizes, statistic.lower()))
