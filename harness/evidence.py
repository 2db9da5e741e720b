"""Which runs stand behind a column of a table: one configuration, one run a seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from harness.config import RELEASED, Profile
from harness.data.dataset import digests
from harness.outcomes import Outcomes
from harness.resolve import changed, complete, follows, is_paper_budget, took_released
from harness.selection import Selection
from harness.store import Run, all_runs
from harness.system import find


@dataclass(frozen=True)
class Evidence:
    """Runs of one system on one data set that differ in their seed only, by seed.

    Attributes:
        runs: the runs.
        outcomes: their outcomes on the users that count, in the same order.
        configurations: how many configurations of the system there are runs of.
        tried: among how many configurations validation chose this one; 1 where nothing was searched.
        tested: how many of them had been run, and so tested, before the search began.
        search: the command of that search; empty where nothing was searched.
        finders: runs whose lists say which users count, in the same order; none where all users do.
    """

    runs: tuple[Run, ...] = ()
    outcomes: tuple[Outcomes, ...] = ()
    configurations: int = 0
    tried: int = 1
    tested: int = 0
    search: str = ""
    finders: tuple[Run, ...] = ()

    def only(self, seed: int) -> "Evidence":
        """The run of one seed."""
        kept = [place for place, run in enumerate(self.runs) if run.config.seed == seed]
        return replace(
            self,
            runs=tuple(self.runs[place] for place in kept),
            outcomes=tuple(self.outcomes[place] for place in kept),
            finders=tuple(self.finders[place] for place in kept if self.finders),
        )


def ordered(evidence: Evidence, runs: Sequence[Run]) -> Evidence:
    """The runs whose lists a re-ranker's runs ordered, on the same users; nothing where one of them is not there."""
    by_id = {run.record.run: run for run in runs}
    found = [by_id.get(run.config.retriever.run) for run in evidence.runs if run.config.retriever]
    theirs = tuple(run for run in found if run)
    if len(theirs) < len(evidence.runs):
        return Evidence()
    pairs = zip((run.outcomes() for run in theirs), evidence.outcomes, strict=True)
    return Evidence(theirs, tuple(each.among(own.query) for each, own in pairs), finders=evidence.finders)


def configuration(run: Run, runs: Mapping[str, Run] | None = None) -> str:
    """What runs that differ in their seed only have in common; a ranker's seed names its retriever's run.

    The device is left aside: seeds may have been run on several machines, as the list of runs behind a table tells.

    Args:
        run: the run.
        runs: all runs by identity; a ranker's configuration includes that of its retriever's run where that is known.
    """
    config = complete(run.config)
    if took_released(config):  # each seed has an adapter of its own
        config = config.model_copy(update={"settings": config.settings | {"adapter": RELEASED}})
    asked = config.model_dump_json(exclude={"seed": True, "device": True, "retriever": {"run": True}})
    inputs = [source.sha256 for source in run.record.data] + [run.record.model.sha256 if run.record.model else ""]
    inputs += [run.record.summarizer.sha256] if run.record.summarizer else []
    inputs += [str(notes["prompts_sha256"])] if "prompts_sha256" in (notes := run.record.fit.notes) else []
    retriever = (runs or {}).get(run.config.retriever.run) if run.config.retriever else None
    return "\n".join([asked, *inputs, *([configuration(retriever)] if retriever else [])])


def draw(run: Run) -> str:
    """What a run's seed drew that other systems' runs share: its task's candidates, or its retriever's run.

    The identity of the run itself where it shares nothing.
    """
    if run.config.task.name == "candidates":
        return f"candidates of seed {run.config.seed}"
    return run.config.retriever.run if run.config.retriever else run.record.run


def choose(
    runs: Sequence[Run], system: str, datasets: Iterable[str], selections: Sequence[Selection] = ()
) -> tuple[tuple[Run, ...], int]:
    """Runs of the configuration to show for a system, by seed, and how many configurations there are.

    The first data set that has runs is taken; then the paper's own configuration (its grid included), the most
    expensive profile, that profile's own configuration, with a released adapter where it takes one, what a search took
    on validation, what the profile sets where no search moved it, the most seeds, the best value on validation, the
    latest start. So a variant, or a point of the grid that nothing chose, is shown only where nothing else was run.

    Args:
        runs: all runs there are.
        system: the harness's name of the system.
        datasets: the harness's names of data sets, the preferred one first.
        selections: all searches there are.
    """
    by_id = {run.record.run: run for run in runs}
    own = sorted((run for run in by_id.values() if run.config.system == system), key=lambda run: run.record.started_at)
    for dataset in datasets:
        groups: dict[str, dict[int, Run]] = {}
        for run in own:
            if run.config.dataset == dataset:
                groups.setdefault(configuration(run, by_id), {})[run.config.seed] = run
        if groups:
            best = max(groups.values(), key=lambda by_seed: _preference(list(by_seed.values()), selections))
            return tuple(best[seed] for seed in sorted(best)), len(groups)
    return (), 0


def _preference(
    runs: list[Run], selections: Sequence[Selection]
) -> tuple[bool, int, bool, bool, bool, bool, int, float, str]:
    config = runs[0].config
    profile = get_args(Profile).index(config.profile)
    own, taken = follows(config, config.profile), is_taken(runs[0], selections)
    validation = [run.record.fit.best_value() for run in runs]
    latest = max(run.record.started_at for run in runs)
    best = sum(validation) / len(runs)
    unmoved = changed(config).keys().isdisjoint(find(config.system).grid)
    return is_paper_budget(config), profile, own, took_released(config), taken, unmoved, len(runs), best, latest


def is_taken(run: Run, selections: Sequence[Selection]) -> bool:
    """Whether a run has the configuration that a search on the same data took."""
    inputs = digests(run.record.data)
    own = [each for each in selections if each.inputs == inputs and each.covers(run.config)]
    return bool(own) and own[0].takes(run.config)


def gather(
    runs: Sequence[Run],
    system: str,
    datasets: Iterable[str],
    selections: Sequence[Selection] = (),
    earlier: Sequence[Run] = (),
) -> Evidence:
    """The chosen runs with all their outcomes.

    Args:
        runs: all runs that may be shown.
        system: the harness's name of the system.
        datasets: the harness's names of data sets, the preferred one first.
        selections: all searches there are.
        earlier: further runs that count where a search found them tested already, and are not shown.
    """
    chosen, configurations = choose(runs, system, datasets, selections)
    searches = [each for run in chosen[:1] for each in selections if is_taken(run, [each])]
    search = next(iter(searches), None)
    found = Evidence(chosen, tuple(run.outcomes() for run in chosen), configurations)
    if search is None:
        return found
    tested = {configuration(run) for run in tested_before(search, (*runs, *earlier))}
    return replace(found, tried=len(search.tried), tested=len(tested), search=search.command)


def tested_before(search: Selection, runs: Iterable[Run]) -> list[Run]:
    """Runs of a search's configurations that were there, and so tested, before it began."""
    earlier = (run for run in runs if run.record.started_at < search.started_at and search.tries(run.config))
    return [run for run in earlier if digests(run.record.data) == search.inputs]


def earlier_runs(folder: Path, runs: Sequence[Run], selections: Iterable[Selection]) -> list[Run]:
    """A folder's runs that had been tested before the searches behind ``runs`` began, of these runs' profiles."""
    taken = [(each, {run.config.profile for run in runs if is_taken(run, [each])}) for each in selections]
    finished = all_runs(folder) if any(profiles for _, profiles in taken) else []
    return [run for each, own in taken for run in tested_before(each, finished) if run.config.profile in own]


def restrict(
    evidence: Evidence, runs: Sequence[Run], retriever: str, among: int, selections: Sequence[Selection] = ()
) -> Evidence:
    """Keep only the users whose target the retriever's run of the same seed ranks among its first ``among``.

    All columns are held to the same users, those of one configuration of the retriever: of the one that a re-ranker
    ordered, where there is one. Runs without a run of it of the same data, profile and seed, or whose retriever found
    nobody, are left out.

    Args:
        evidence: what to restrict.
        runs: all runs there are.
        retriever: the harness's name of the retriever.
        among: the last rank that counts as retrieved.
        selections: all searches there are.
    """
    retrievers = _retrievers(evidence.runs, runs, retriever, selections)
    kept: list[tuple[Run, Outcomes, Run]] = []
    for run, outcomes in zip(evidence.runs, evidence.outcomes, strict=True):
        if found := retrievers.get(run.config.seed):
            ranked = found.outcomes()
            counted = outcomes.among(ranked.query[ranked.rank <= among])
            if len(counted):
                kept.append((run, counted, found))
    own, left, finders = zip(*kept, strict=True) if kept else ((), (), ())
    return replace(evidence, runs=own, outcomes=left, finders=finders)


def _retrievers(
    shown: Sequence[Run], runs: Sequence[Run], retriever: str, selections: Sequence[Selection]
) -> dict[int, Run]:
    """Seed -> run of the retriever, all of one configuration, on the data and in the profile of a column's runs."""
    if not shown:
        return {}
    config = shown[0].config
    alike = [run for run in runs if (run.config.dataset, run.config.profile) == (config.dataset, config.profile)]
    ordered = {run.config.retriever.run for run in (shown if config.retriever else alike) if run.config.retriever}
    own = [run for run in alike if run.config.system == retriever and run.record.run in ordered]
    chosen, _ = choose(own or alike, retriever, [config.dataset], selections)
    wanted = {configuration(run) for run in chosen}
    same = [run for run in alike if run.config.system == retriever and configuration(run) in wanted]
    others, _ = choose(same, retriever, [config.dataset], selections)
    return {run.config.seed: run for run in (*others, *chosen)}
