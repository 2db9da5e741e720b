"""A paper's tables as a plan of runs: what is cached, what is left, and how long that takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch

from harness import data, environment, released, resolve, store
from harness import system as register
from harness.config import RunConfig
from harness.costs import kept as costs
from harness.costs import measurement as cost_measurement
from harness.costs import plan as cost_plan
from harness.costs import rankers
from harness.costs import retrieval as retrieval_cost
from harness.costs.kept import KeptCost
from harness.data.dataset import Dataset, digests
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.llm import weights
from harness.llm.summarizer import WITHOUT_LLM
from harness.papers import paper as papers
from harness.papers.cost_figures import CostFigure, ServingFigure
from harness.papers.exhibit import Wanted
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable, StatisticsTable, Sweep
from harness.papers.variants import Variants
from harness.progress import Report
from harness.selection import all_selections, as_searched

RunsTable = AccuracyTable | Sweep | CostFigure | ServingFigure | Variants


@dataclass(frozen=True)
class Planned:
    """One run of a plan.

    Attributes:
        config: what would run; the retriever's run is filled in when it is known.
        cells: how many cells of the tables rest on it.
        cached: identity of the finished run, or None.
        estimate_s: seconds that it will take; None where nothing like it was ever measured.
    """

    config: RunConfig
    cells: int
    cached: str | None
    estimate_s: float | None


@dataclass(frozen=True)
class Target:
    """A paper and the numbers of the tables that are asked for."""

    paper: Paper
    tables: tuple[str, ...]


def parse_targets(targets: list[str], *, whole: bool = True) -> list[Target]:
    """``PAPER`` or ``PAPER:TABLE``; no target means every paper.

    Args:
        targets: what the user named.
        whole: whether a paper without a table's name means its figures and what was added to it too, or the tables
            that it numbers alone.

    Raises:
        InputError: an unknown paper or table.
    """
    wanted: dict[str, list[str]] = {}
    for target in targets or papers.names():
        name, colon, table = target.partition(":")
        paper = papers.load(name)
        numbers = [table] if colon else [number for number in paper.tables if whole or number.isdecimal()]
        for number in numbers:
            paper.table(number)
        wanted[name] = [*wanted.get(name, []), *numbers]
    return [Target(papers.load(name), tuple(dict.fromkeys(tables))) for name, tables in wanted.items()]


def choose(wanted: list[str] | None, known: dict[str, str], default: list[str], what: str) -> list[str]:
    """Pick by printed name or by the harness's own.

    Args:
        wanted: what the user named, or None.
        known: printed name -> the harness's name.
        default: printed names to take where the user named none.
        what: ``data set`` or ``system``, for the error.

    Returns:
        Printed names, in the paper's order.

    Raises:
        InputError: a name that is not among the known ones.
    """
    if wanted is None:
        return default
    chosen = set()
    for name in wanted:
        matching = [printed for printed, own in known.items() if name in (printed, own)]
        if not matching:
            names = ", ".join(f"{own} ({printed})" for printed, own in known.items())
            raise InputError(f"{what} {name!r} is not in the paper's tables asked for; they have: {names}")
        chosen |= set(matching)
    return [printed for printed in known if printed in chosen]


def datasets_of(target: Target, named: list[str] | None) -> dict[str, str]:
    """Printed name -> own name of the data sets to run: those named, else the paper's default.

    Tables that show none of the default sets are run on their own.

    Raises:
        InputError: a name that the tables do not show.
    """
    paper = target.paper
    own = {printed: entry.name for printed, entry in paper.datasets.items()}
    shown = [printed for printed in own if any(printed in paper.tables[table].datasets() for table in target.tables)]
    default = [printed for printed in shown if printed in paper.default_datasets] or shown
    return {
        printed: own[printed] for printed in choose(named, {name: own[name] for name in shown}, default, "data set")
    }


def systems_of(target: Target) -> dict[str, str]:
    """Printed name -> own name of the systems whose runs the tables need; for statistics alone, the paper's first."""
    tables = _of_runs(target)
    shown = {name for table in tables for dataset in table.datasets() for name in table.systems(dataset)}
    needed = shown | _needed(tables)
    known = {printed: name for printed, name in target.paper.systems.items() if printed in needed}
    return known or dict(list(target.paper.systems.items())[:1])


def available(
    paper: Paper, wanted: dict[str, str], home: Home, report: Report
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Fetch the data of each column; where no source has it take the paper's fallback or leave it out, and say so.

    Returns:
        Printed name -> name of the set that is there, and that name -> digests of its files.
    """
    found, read = {}, {}
    for printed, name in wanted.items():
        for candidate in filter(None, (name, paper.datasets[printed].fallback)):
            try:
                read[candidate] = digests(data.fetch(candidate, home, report))
            except WorkError as error:
                report(f"{printed}: {error}")
                continue
            if candidate != name:
                report(f"{printed}: running {candidate} instead of {name}; its cells are judged `other data`")
            found[printed] = candidate
            break
        else:
            report(f"{printed}: could not be had; its cells are `not run`")
    return found, read


def plan(
    target: Target,
    datasets: dict[str, str],
    profile: str,
    seeds: list[int],
    device: str,
    home: Home,
    systems: list[str] | None = None,
    changes: dict[str, Any] | None = None,
    read: Mapping[str, dict[str, str]] | None = None,
) -> list[Planned]:
    """The runs behind a paper's tables, retrievers before their re-rankers; settings are what a grid search took.

    Args:
        target: paper and tables; a table of statistics alone needs one run a set, of the paper's first system.
        datasets: printed name -> name of the data set to run.
        profile: how much of the paper to spend.
        seeds: one run each.
        device: ``cpu`` or ``cuda``.
        home: where finished runs are.
        systems: printed or own names; None for all that the tables show.
        changes: settings for those systems that have the key, a backbone, say; what a figure sweeps stays its own.
        read: data set -> digests of the files that will be read, which a search must have been made on; None: not
            known.

    Raises:
        InputError: a name, a setting or a backbone that there is not.
    """
    tables = _of_runs(target)
    needed, known = _needed(tables), systems_of(target)
    chosen = set(choose(systems, known, list(known), "system")) | needed
    kept = store.all_runs(home.runs, probed=True) if home.runs.is_dir() else []
    finished = [replace(run, config=resolve.complete(run.config)) for run in kept]
    selections = all_selections(home.runs)
    planned: dict[str, Planned] = {}
    for printed, system in sorted(known.items(), key=lambda pair: "retriever" in register.find(pair[1]).needs):
        spec = register.find(system)
        keys = spec.config.model_fields.keys() & (changes or {}).keys()
        own = {key: (changes or {})[key] for key in keys}
        for column, dataset in datasets.items() if printed in chosen else ():
            for wanted in _wanted(tables, column, printed, asked=printed in needed or not tables):
                asked, configs = own | wanted.settings, []
                for seed in seeds:
                    config = resolve.resolve(system, dataset, profile, seed, device, asked)
                    config = as_searched(config, selections, (read or {}).get(dataset))
                    changed = asked | config.settings | wanted.change
                    config = resolve.resolve(system, dataset, profile, seed, device, changed)
                    configs.append(config.model_copy(update={"probe": wanted.probe}))
                    _check_backbones(configs[-1])
                for config in released.all_or_none(configs, home):
                    settled = released.settle(config, home)
                    key = settled.model_dump_json()
                    each = planned.get(key) or replace(_planned(settled, finished), config=config)
                    planned[key] = replace(each, cells=each.cells + wanted.cells)
    return list(planned.values())


def _check_backbones(config: RunConfig) -> None:
    """Refuse a run whose backbone or summariser is unknown, before any other is made."""
    for role in ("backbone", "summarizer"):
        if role in register.find(config.system).needs and config.settings[role] not in WITHOUT_LLM:
            weights.check(config.settings[role])


def _of_runs(target: Target) -> list[RunsTable]:
    """The tables that rest on runs."""
    return [table for table in map(target.paper.table, target.tables) if not isinstance(table, StatisticsTable)]


def _needed(tables: list[RunsTable]) -> set[str]:
    """Printed names of the systems whose retrieved users tables ask."""
    return {table.users.system for table in tables if isinstance(table, AccuracyTable) and table.users}


def _wanted(
    tables: list[RunsTable],
    column: str,
    system: str,
    *,
    asked: bool,
) -> list[Wanted]:
    """What the tables want of a system on a data set.

    A system that no table shows there is ``asked`` what the first table asks where another's users depend on it.
    """
    found = [wanted for table in tables for wanted in table.runs(column, system)]
    return found or ([Wanted(table.asking(), 0) for table in tables[:1]] or [Wanted({}, 0)] if asked else [])


def _planned(config: RunConfig, finished: list[store.Run]) -> Planned:
    """The run of a configuration, before any cell is counted; whole finished runs tell how long it takes."""
    same = [
        run
        for run in finished
        if run.config.model_copy(update={"retriever": None}) == config
        and (run.config.retriever is None or run.config.retriever.system == config.settings["retriever"])
    ]
    takes = resolve.took_released(config)
    alike = [
        run.record.wall_s
        for run in finished
        if run.config.stands_in_tables()
        and (run.config.system, run.config.dataset, run.config.profile, resolve.took_released(run.config))
        == (config.system, config.dataset, config.profile, takes)
    ]
    measured = None if takes else resolve.profile_file(config.profile).estimate_s.get(config.system)
    return Planned(config, 0, same[0].record.run if same else None, median(alike) if alike else measured)


def waves(planned: list[Planned]) -> list[list[RunConfig]]:
    """The runs in waves: those that need no other, then the re-rankers, then those that take another's adapter."""
    split: list[list[RunConfig]] = [[], [], []]
    for each in planned:
        needs, adapter = register.find(each.config.system).needs, each.config.settings.get("adapter")
        split[2 if adapter in register.systems() else "retriever" in needs].append(each.config)
    return [wave for wave in split if wave]


def measure_costs(
    targets: list[Target],
    datasets: dict[str, dict[str, str]],
    profile: str,
    device: str,
    runs: Sequence[store.Run],
    home: Home,
    command: str,
    report: Report,
) -> tuple[list[KeptCost], list[str]]:
    """Measure what the targets' figures of costs and of serving lack, where the data of their titles could be had.

    Args:
        targets: papers and their tables.
        datasets: paper -> printed name -> name of the data set that is there.
        profile: how much is measured.
        device: ``cpu`` or ``cuda``.
        runs: those that the targets asked for; a retriever's is timed beside the serving.
        home: where costs are kept.
        command: what the user typed.
        report: takes one line of progress at a time.

    Returns:
        All costs there are, none where no target is such a figure; and what went wrong with those still missing.
    """
    figures = [(each.paper, each.paper.table(table)) for each in targets for table in each.tables]
    wanted = [(paper, figure) for paper, figure in figures if isinstance(figure, CostFigure | ServingFigure)]
    failed: list[str] = []
    for paper, figure in wanted:
        if figure.titles in datasets[paper.id]:
            titles, where = data.load(datasets[paper.id][figure.titles], home, report), torch.device(device)
            environment.use_threads()
            run = _retriever(paper, figure, titles, runs) if isinstance(figure, ServingFigure) else None
            retrieval = retrieval_cost.measurer(run, titles, where, home, report) if run else None
            if not (points := list(cost_plan.points(figure.kind, profile, where))):
                report(f"{paper.id}: profile {profile} lists nothing to measure of {figure.kind}")
            if left := cost_plan.left_out(figure.kind, profile, where):
                report(f"{paper.id}: not measured here, for want of a GPU or of vLLM: {'; '.join(left)}")
            tuned = {}
            if isinstance(figure, CostFigure):
                pairs = list(rankers.carried(points, paper, figure, titles.name, runs))
                points = [point for point, _ in pairs]
                tuned = {point.checkpoint: run for point, run in pairs if point.checkpoint and run}
            missing = costs.missing(points, titles, where, home, retrieval=run is not None)
            failed += cost_measurement.measure(
                missing, tuned, figure.wording, titles, where, home, command, report, retrieval
            )
    return costs.all_costs(home.runs) if wanted else [], failed


def _retriever(paper: Paper, figure: ServingFigure, titles: Dataset, runs: Sequence[store.Run]) -> store.Run | None:
    """The run of the figure's retriever on the data set of its titles."""
    wanted = (paper.systems[figure.retriever], titles.name)
    own = (run for run in runs if (run.config.system, run.record.dataset) == wanted)
    return next((run for run in own if not paper.varies(run.config)), None)
