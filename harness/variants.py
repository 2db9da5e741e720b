"""Columns of a table once more, each with one change of the procedure, against the runs that the table shows."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from harness import metrics, resolve
from harness import system as register
from harness.columns import Column, columns
from harness.config import TASK_PREFIX, Profile, RunConfig, Strict
from harness.data.dataset import digests
from harness.paired.comparison import Comparison, Side, compare
from harness.papers.paper import Paper, number
from harness.papers.tables import AccuracyTable
from harness.papers.variants import Change, Variants
from harness.selection import Selection
from harness.store import Run


class Variant(Strict):
    """One metric of a column with one change; None where a thing was not run.

    Attributes:
        table: the variants' own number.
        dataset, system: the column, as printed.
        change: what was changed, as ``--set`` takes it, and the probe of the changed run.
        both: what both sides have that the table's runs may lack.
        metric: e.g. ``NDCG@10``.
        published: the paper's number.
        before, after: exact means without and with the change, over the same seeds.
        ran_dataset, backbone, profile: of the runs, in the harness's names; no backbone where the system has none.
        comparison: with the change (``a``) less without it (``b``).
        runs: identities of the runs, those with the change first.
    """

    table: str
    dataset: str
    system: str
    change: dict[str, Any]
    both: dict[str, Any]
    metric: str
    published: float | None
    before: float | None
    after: float | None
    ran_dataset: str | None
    backbone: str | None
    profile: str | None
    comparison: Comparison | None
    runs: tuple[str, ...]


def variants(paper: Paper, table: str, runs: Sequence[Run], selections: Sequence[Selection]) -> list[Variant]:
    """The rows of a table of variants; none where no change was run. All their tests are one family, none in it twice.

    A run belongs to a change if it differs from the run of its seed behind the changed table's column by that alone
    (but for its device, and for settings that only lay out the work), or from a profile's own run with what both sides
    of the change have.

    Args:
        paper: the paper.
        table: the table's number.
        runs: all runs there are, those of probes among them.
        selections: all searches there are.
    """
    spec = paper.table(table)
    if not isinstance(spec, Variants):
        return []
    changed = paper.table(spec.of)
    assert isinstance(changed, AccuracyTable)
    shown = {(column.dataset, column.system): column for column in columns(paper, changed, runs, selections)}
    tried = [
        (shown[dataset, change.system], change, _pairs(shown[dataset, change.system], change, runs))
        for change in spec.changes
        for dataset in change.datasets
    ]
    compared = [pairs for *_, pairs in tried]
    tried = [each for place, each in enumerate(tried) if not each[2] or each[2] not in compared[:place]]
    sides = [_sides(pairs) for _, _, pairs in tried if pairs]
    if not sides:
        return []
    wanted = [metrics.metric_at(label) for label in spec.metrics]
    seed = next(run.config.seed for _, _, pairs in tried for run, _ in pairs)
    tests = iter(compare(sides, wanted, seed))
    return [
        _row(table, changed, column, change, metric, pairs, next(tests) if pairs else None)
        for column, change, pairs in tried
        for metric in spec.metrics
    ]


def _pairs(column: Column, change: Change, runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """(run with the change, run without it) of every seed that has both; of several the latest.

    What both sides of a change have may be cheaper than what the table shows, so there they are the own runs of the
    most expensive profile that has any pair.
    """
    shown = column.evidence.runs
    if not change.both or not shown:
        return _changed(shown, change, runs)
    tried = (_changed(_own(profile, change, shown[0], runs), change, runs) for profile in reversed(get_args(Profile)))
    return next(filter(None, tried), [])


def _changed(without: Sequence[Run], change: Change, runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    found = [(_latest(runs, _with(run.config, change), run), run) for run in without]
    return [(changed, run) for changed, run in found if changed]


def _latest(runs: Sequence[Run], config: RunConfig, shown: Run) -> Run | None:
    """The last run that was asked so, on the data of a run that the table shows."""
    wanted, data = _asked(config), digests(shown.record.data)
    own = [run for run in runs if run.config.system == config.system and _asked(run.config) == wanted]
    same = [run for run in own if digests(run.record.data) == data]
    return max(same, key=lambda run: run.record.started_at, default=None)


def _own(profile: Profile, change: Change, shown: Run, runs: Sequence[Run]) -> list[Run]:
    """A re-ranker's runs that are a profile's own with what both sides of a change have; the latest of each seed.

    They have the system, data, task, backbone and retriever of a run that the table shows.
    """

    def shared(run: Run) -> tuple[object, ...]:
        config = run.config
        retriever = config.retriever and config.retriever.system
        return config.system, digests(run.record.data), config.task, config.settings.get("backbone"), retriever

    wanted = shared(shown)
    alike = [run for run in runs if run.config.profile == profile and shared(run) == wanted]
    own = [run for run in alike if _asked(run.config) == _asked(_plain(run.config, change))]
    by_seed = {run.config.seed: run for run in sorted(own, key=lambda run: run.record.started_at)}
    return [by_seed[seed] for seed in sorted(by_seed)]


def _plain(config: RunConfig, change: Change) -> RunConfig:
    """A re-ranker's configuration as its profile has it, but for its backbone and what both sides of a change have."""
    both = {"backbone": config.settings["backbone"]} | change.both
    own = resolve.resolve(config.system, config.dataset, config.profile, config.seed, config.device, both)
    return config.model_copy(update={"settings": own.settings, "probe": None})


def _with(config: RunConfig, change: Change) -> RunConfig:
    changed = change.settings
    task = {key.removeprefix(TASK_PREFIX): value for key, value in changed.items() if key.startswith(TASK_PREFIX)}
    own = {key: value for key, value in changed.items() if not key.startswith(TASK_PREFIX)}
    updated = {"task": config.task.model_copy(update=task), "settings": config.settings | own}
    return config.model_copy(update=updated | {"probe": change.probe})


def _asked(config: RunConfig) -> RunConfig:
    """What is asked and how: a config without its device and what only lays out the work."""
    layout = register.find(config.system).layout
    settings = {key: value for key, value in resolve.complete(config).settings.items() if key not in layout}
    return config.model_copy(update={"settings": settings, "device": ""})


def _sides(pairs: Sequence[tuple[Run, Run]]) -> tuple[Side, Side]:
    """Both sides in pairs of one seed; at commits that draw alike a run draws the same with and without the change."""
    first, second = (
        Side(name, tuple(run.outcomes() for run in own), tuple(f"seed {run.config.seed}" for run in own))
        for name, own in zip(("changed", "as shown"), zip(*pairs, strict=True), strict=True)
    )
    return first, second


def _row(
    table: str,
    changed: AccuracyTable,
    column: Column,
    change: Change,
    metric: str,
    pairs: Sequence[tuple[Run, Run]],
    comparison: Comparison | None,
) -> Variant:
    printed = changed.printed(column.dataset, column.system).get(metric)
    ran = pairs[0][0] if pairs else None
    after, before = (_mean([pair[place] for pair in pairs], metric) for place in (0, 1))
    return Variant(
        table=table,
        dataset=column.dataset,
        system=column.system,
        change=change.settings | ({"probe": change.probe} if change.probe else {}),
        both=change.both,
        metric=metric,
        published=number(printed)[0] if printed else None,
        before=before,
        after=after,
        ran_dataset=ran.config.dataset if ran else None,
        backbone=ran.record.model.name if ran and ran.record.model else None,
        profile=ran.config.profile if ran else None,
        comparison=comparison,
        runs=tuple(run.record.run for pair in zip(*pairs, strict=True) for run in pair),
    )


def _mean(runs: Sequence[Run], metric: str) -> float | None:
    values = [metrics.estimate(run.outcomes(), *metrics.metric_at(metric)) for run in runs]
    return float(np.mean(values)) if values else None
