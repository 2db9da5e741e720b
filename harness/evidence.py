"""Which runs stand behind a column of a table: one configuration, one run a seed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from harness.config import Profile, RunConfig
from harness.outcomes import Outcomes
from harness.store import Run


@dataclass(frozen=True)
class Evidence:
    """Runs of one system on one data set that differ in their seed only, by seed.

    Attributes:
        runs: the runs.
        outcomes: their outcomes on the users that count, in the same order.
        configurations: how many configurations of the system there were to choose from.
    """

    runs: tuple[Run, ...] = ()
    outcomes: tuple[Outcomes, ...] = ()
    configurations: int = 0


def configuration(config: RunConfig) -> str:
    """What runs that differ in their seed only have in common; a ranker's seed names its retriever's run."""
    return config.model_dump_json(exclude={"seed": True, "retriever": {"run": True}})


def choose(runs: Iterable[Run], system: str, datasets: Iterable[str]) -> tuple[tuple[Run, ...], int]:
    """Runs of the configuration to show for a system, by seed, and how many configurations there are.

    The first data set that has runs is taken; then the most expensive profile, the most seeds, the latest start.

    Args:
        runs: all runs there are.
        system: the harness's name of the system.
        datasets: the harness's names of data sets, the preferred one first.
    """
    own = sorted((run for run in runs if run.config.system == system), key=lambda run: run.record.started_at)
    for dataset in datasets:
        groups: dict[str, dict[int, Run]] = {}
        for run in own:
            if run.config.dataset == dataset:
                groups.setdefault(configuration(run.config), {})[run.config.seed] = run
        if groups:
            best = max(groups.values(), key=_preference)
            return tuple(best[seed] for seed in sorted(best)), len(groups)
    return (), 0


def _preference(by_seed: dict[int, Run]) -> tuple[int, int, str]:
    runs = list(by_seed.values())
    latest = max(run.record.started_at for run in runs)
    return get_args(Profile).index(runs[0].config.profile), len(runs), latest


def gather(runs: Iterable[Run], system: str, datasets: Iterable[str]) -> Evidence:
    """The chosen runs with all their outcomes."""
    chosen, configurations = choose(runs, system, datasets)
    return Evidence(chosen, tuple(run.outcomes() for run in chosen), configurations)


def restrict(evidence: Evidence, runs: Iterable[Run], retriever: str, among: int) -> Evidence:
    """Keep only the users whose target the retriever's run of the same seed ranks among its first ``among``.

    A re-ranker's own outcomes say whom its retriever found. Runs without a retriever's run of the same
    data, profile and seed, or whose retriever found nobody, are left out.

    Args:
        evidence: what to restrict.
        runs: all runs there are.
        retriever: the harness's name of the retriever.
        among: the last rank that counts as retrieved.
    """
    kept: list[tuple[Run, Outcomes]] = []
    for run, outcomes in zip(evidence.runs, evidence.outcomes, strict=True):
        counts = outcomes.asked
        if run.config.retriever is None:
            counts = np.isin(outcomes.query, _retrieved(run, runs, retriever, among))
        if counts.any():
            kept.append((run, outcomes.take(counts)))
    return Evidence(tuple(run for run, _ in kept), tuple(rest for _, rest in kept), evidence.configurations)


def _retrieved(run: Run, runs: Iterable[Run], retriever: str, among: int) -> npt.NDArray[np.int64]:
    """Users that the retriever's run with the data, profile and seed of ``run`` found, shape [query]."""
    same_profile = [other for other in runs if other.config.profile == run.config.profile]
    for other in choose(same_profile, retriever, [run.config.dataset])[0]:
        if other.config.seed == run.config.seed:
            ranked = other.outcomes()
            return ranked.query[ranked.rank <= among]
    return np.empty(0, dtype=np.int64)
