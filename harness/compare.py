"""Finished runs against each other: every pair of systems, on the queries that both answered."""

from collections.abc import Mapping, Sequence

from harness import environment
from harness.errors import InputError
from harness.evidence import configuration, draw
from harness.metrics import CUTOFFS, METRICS, Place
from harness.paired.comparison import Comparison, Side, all_pairs
from harness.paired.comparison import compare as compare_sides
from harness.paired.differences import same_queries
from harness.paired.signflip import PERMUTATIONS
from harness.store import Run


def compare(
    runs: Sequence[Run], known: Mapping[str, Run], estimator: str = "exact", permutations: int = PERMUTATIONS
) -> list[Comparison]:
    """Compare every pair of systems; runs that differ in their seed only are one system.

    All pairs and metrics are one family. Permutations are drawn from the first run's seed.

    Args:
        runs: to be compared.
        known: all runs there are by identity, among them the retrievers' behind re-rankers.
        estimator: how outcomes become means.
        permutations: of the sign-flip test.

    Raises:
        InputError: fewer than two systems, other data, other queries, or too few permutations.
    """
    sides = systems(runs, known)
    if len(sides) < 2:
        raise InputError("compare: the runs are of one system and configuration; name runs of two or more")
    environment.use_threads()
    seed, threads = runs[0].config.seed, environment.hardware()["threads"]
    at = [Place(metric, k) for k in CUTOFFS[runs[0].config.task.name] for metric in METRICS]
    return compare_sides(
        all_pairs(sides), at, seed, estimator=estimator, permutations=permutations, threads=int(threads)
    )


def systems(runs: Sequence[Run], known: Mapping[str, Run]) -> list[Side]:
    """The runs by system and configuration, in the order given; seeds of one stand together.

    A system is called by its name, and where two configurations of it are compared, by a run's identity too.

    Raises:
        InputError: the runs read different data, answered different tasks or queries, one seed of a configuration
            twice, or candidates that were drawn from different seeds.
    """
    groups: dict[str, list[Run]] = {}
    data = {source.sha256 for source in runs[0].record.data} if runs else set()
    for run in runs:
        if {source.sha256 for source in run.record.data} != data:
            raise InputError(f"run {run.record.run}: read other data than run {runs[0].record.run}")
        if run.config.task != runs[0].config.task:
            raise InputError(f"run {run.record.run}: was asked another task than run {runs[0].record.run}")
        groups.setdefault(configuration(run, known), []).append(run)
    for own in groups.values():
        if len({run.config.seed for run in own}) < len(own):
            raise InputError(f"run {own[0].record.run}: there are two runs of its configuration and seed; name one")
    same_queries([run.outcomes() for run in runs], [f"run {run.record.run}" for run in runs])
    if runs and runs[0].config.task.name == "candidates":
        seeds = {run.config.seed for run in runs}
        for own in groups.values():
            if missing := seeds - {run.config.seed for run in own}:
                raise InputError(
                    f"run {own[0].record.run}: its configuration has no run of seed {min(missing)}, which drew other "
                    "candidates; name runs of the same seeds of every system"
                )
    names = [own[0].config.system for own in groups.values()]
    return [
        Side(
            name if names.count(name) == 1 else f"{name} {own[0].record.run}",
            tuple(run.outcomes() for run in own),
            tuple(draw(run) for run in own),
        )
        for name, own in zip(names, groups.values(), strict=True)
    ]
