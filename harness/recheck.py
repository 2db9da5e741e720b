"""Kept re-rankers checked by inference alone: the adapter and the lists are kept, so only the scoring is done again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from harness import data, environment, metrics, store
from harness import system as register
from harness.data.dataset import Dataset, digests
from harness.errors import InputError
from harness.home import Home
from harness.job import Job
from harness.outcomes import Outcomes
from harness.progress import Report
from harness.released import keeps_adapter
from harness.reproduce import Target, choose, datasets_of, systems_of
from harness.run import inputs
from harness.store import Run

METRICS = (("NDCG", 10), ("Recall", 10), ("MRR", 10))


@dataclass(frozen=True)
class Recheck:
    """A kept run beside its outcomes as this machine has them.

    Attributes:
        run: the kept run.
        again: outcomes of the same users from the same adapter and lists.
        alike: whether processor, threads and torch are those of the kept run, so that equality to the bit is due.
    """

    run: Run
    again: Outcomes
    alike: bool

    def is_same(self) -> bool:
        """Whether all users have the same outcome."""
        kept = self.run.outcomes()
        return all(np.array_equal(getattr(kept, name), getattr(self.again, name)) for name in vars(kept))

    def equal_share(self) -> float:
        """Share of the users asked whose target has the same rank."""
        kept = self.run.outcomes()
        return float(np.mean(kept.rank[kept.asked] == self.again.rank[self.again.asked]))

    def differences(self) -> dict[str, float]:
        """This machine's metric less the kept one, over all users."""
        kept = self.run.outcomes()
        return {
            f"{metric}@{k}": metrics.estimate(self.again, metric, k) - metrics.estimate(kept, metric, k)
            for metric, k in METRICS
        }


def recheck(
    targets: Sequence[Target],
    datasets: list[str] | None,
    systems: list[str] | None,
    device: str,
    home: Home,
    report: Report,
) -> Iterator[Recheck]:
    """Score the queries of papers' kept re-rankers again, one run after the other.

    Args:
        targets: the papers.
        datasets: printed or own names; None for the papers' default.
        systems: printed or own names; None for all that the tables need.
        device: ``cpu`` or ``cuda``.
        home: where data and backbones are, and the kept runs.
        report: takes one line of progress at a time.

    Raises:
        InputError: nothing is kept that could be checked, or the data or the backbone are not those of the run.
    """
    if home.released is None:
        raise InputError("--from-reference: this installation keeps no runs; a checkout of the repository does")
    names = {name for target in targets for name in datasets_of(target, datasets).values()}
    known = {printed: name for target in targets for printed, name in systems_of(target).items()}
    own = {known[printed] for printed in choose(systems, known, list(known), "system")}
    by_id = {run.record.run: run for run in store.all_runs(home.released)}
    wanted = [
        run
        for run in by_id.values()
        if run.config.retriever and run.config.system in own and run.config.dataset in names
        if keeps_adapter(run)
    ]
    if not wanted:
        raise InputError(
            f"--from-reference: no re-ranker's run of what is asked for is kept with its adapter under {home.released}"
        )
    environment.use_threads()
    load = cache(lambda name: data.load(name, home, report))
    jobs = [_job(run, by_id, load(run.config.dataset), device, home, report) for run in wanted]
    for run, job in zip(wanted, jobs, strict=True):
        system, _ = job.fit()
        here, then = environment.hardware(), run.record.hardware
        alike = all(here.get(key) == then.get(key) for key in ("processor", "threads", "cpu_capability", "gpu"))
        alike &= run.config.device == device
        alike &= environment.versions().get("torch") == run.record.versions.get("torch")
        again = Recheck(run, job.answer(system.score).test, alike)
        report(f"{run.folder.name}: {again.equal_share():.1%} of the users asked have the same rank")
        yield again


def _job(run: Run, by_id: Mapping[str, Run], dataset: Dataset, device: str, home: Home, report: Report) -> Job:
    """A kept run's scoring, once all that it reads is what the run read.

    Raises:
        InputError: it is not, or the lists of its retriever are not kept.
    """
    config = run.config.model_copy(update={"device": device})
    retriever = by_id.get(config.retriever.run) if config.retriever else None
    if retriever is None or not (retriever.folder / store.LISTS).exists():
        raise InputError(f"{run.folder}: the lists of its retriever's run are not kept under {home.released}")
    read = digests(run.record.data)
    read |= {"backbone": run.record.model.sha256} if run.record.model else {}
    if (found := inputs(register.find(config.system), config, dataset, home, report)) != read:
        changed = ", ".join(sorted(name for name in found if found[name] != read.get(name)))
        raise InputError(f"{run.folder}: {changed} here is not what the run read; fetch it again")
    return Job.again(run, dataset, home, report, config=config, retriever=retriever, trained=run)
