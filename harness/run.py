"""Asking for a run: what it needs is made first, what exists is returned, what is missing is executed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from harness import checkpoint, commits, data, probes, released, resolve, store
from harness import system as register
from harness.checkpoint import Trained
from harness.config import Retriever, RunConfig
from harness.data.dataset import Dataset
from harness.data.dataset import digests as digests_of
from harness.data.splits import split_of
from harness.data.ties import order_ties
from harness.errors import InputError
from harness.home import Home
from harness.job import Job
from harness.llm import backbone, wording
from harness.llm.summarizer import WITHOUT_LLM
from harness.progress import Report
from harness.record import FitRecord
from harness.selection import all_selections, as_searched
from harness.store import Run
from harness.system import SystemSpec
from harness.tasks import rerank


def execute(config: RunConfig, home: Home, command: str, report: Report) -> tuple[Run, bool]:
    """Return the run of this config, executing it unless it exists.

    A re-ranker whose config names no retriever run gets that of its default retriever, with the same data, task,
    profile and seed; what a probe asks again is run first. A run that was killed goes on from its last checkpoint.

    Args:
        config: what to run.
        home: where data, checkpoints and runs live.
        command: what the user typed, for the record.
        report: takes one line of progress at a time.

    Returns:
        The run, and whether it was there already.

    Raises:
        InputError: the system cannot do this task on this data.
    """
    job = _prepare(config, home, command, report)
    with alone(home.work / f"{job.run}.lock", report):
        if found := store.find(home.runs, job.run):
            return found, True
        finished = store.write(home.runs, job.config, job.run, job.fill)
        shutil.rmtree(job.work, ignore_errors=True)
    return finished, False


def fit(config: RunConfig, home: Home, command: str, report: Report) -> tuple[FitRecord, Trained, Path]:
    """Train what a run trains and ask no test query.

    Args and errors are those of :func:`execute`.

    Returns:
        How training went, at and on what, and the folder of the checkpoint from which :func:`execute` goes on.
    """
    job = _prepare(config, home, command, report)
    with alone(home.work / f"{job.run}.lock", report):
        if found := store.find(home.runs, job.run):
            record = found.record
            named = tuple((name, record.dirty) for name in record.commits())
            return record.fit, Trained(named, record.machines()), job.work
        return job.fit()[1], checkpoint.trained(job.work), job.work


def _prepare(config: RunConfig, home: Home, command: str, report: Report) -> Job:
    """Load and check what a run needs; runs that it rests on are executed first."""
    commits.here()  # before anyone can check out another
    spec = register.find(config.system)
    probes.check(config, spec)
    dataset = data.load(config.dataset, home, report)
    check(spec, config, dataset)
    dataset = order_ties(dataset, config.task.same_time, config.seed)
    digests = inputs(spec, config, dataset, home, report)
    config = released.settle(config, home, digests)
    trained = retriever = None
    if config.settings.get("adapter") and config.probe != "ceiling":
        trained = _tuned(config, dataset, digests, home, command, report)
        digests["adapter"] = trained.record.run
        config = config.model_copy(update={"settings": released.fitting(trained, spec, config.settings)})
    if "retriever" in spec.needs:
        retriever = _retriever(config, dataset, home, command, report)
        config = config.model_copy(
            update={"retriever": Retriever(system=retriever.config.system, run=retriever.record.run)}
        )
    home.work.mkdir(parents=True, exist_ok=True)
    run = _identity(config, digests, home)
    unprobed = config.model_copy(update={"probe": None})
    if probes.is_order(config.probe):
        trained, _ = execute(unprobed, home, command, report)
    if config.probe == "ceiling" and retriever is None:
        retriever, _ = execute(unprobed, home, command, report)
    if config.probe == "permute-ids":
        dataset = probes.renumbered(dataset, probes.new_ids(dataset.n_items, config.seed))
    return Job(spec, config, dataset, split_of(dataset), retriever, home, run, command, report, trained)


def _identity(config: RunConfig, digests: dict[str, str], home: Home) -> str:
    """The run's identity, or that of the same run where it was finished before its config had all of its keys."""
    run = store.identity(config, digests)
    if (home.runs / store.folder_name(config, run)).exists():
        return run
    older = store.of_inputs(home.runs, config, digests)
    return next((each.record.run for each in older if resolve.complete(each.config) == config), run)


def _tuned(
    config: RunConfig, dataset: Dataset, digests: dict[str, str], home: Home, command: str, report: Report
) -> Run:
    """The finished or released run whose adapter is taken; that of a system is made where it is missing.

    Raises:
        InputError: there is none of that name, or it was tuned on other data, for another task, from another seed or on
            another backbone.
    """
    name = config.settings["adapter"]
    if name in register.systems():
        return execute(_tuning(config, register.find(name), dataset, home), home, command, report)[0]
    found = store.find(home.runs, name) or released.find(name, home)
    if found is None:
        raise InputError(f"adapter={name}: no run of that name here; tune afresh (adapter=null)")
    other, record = found.config, found.record
    differs = {
        "data": digests_of(record.data) != digests_of(dataset.sources),
        "task": other.task.whole() != config.task.whole(),
        "seed": other.seed != config.seed,
        "backbone": record.model is None or record.model.sha256 != digests.get("backbone"),
    }
    for what, different in differs.items():
        if different:
            raise InputError(f"adapter={name}: was tuned with another {what}; tune afresh (adapter=null)")
    return found


def _tuning(config: RunConfig, spec: SystemSpec, dataset: Dataset, home: Home) -> RunConfig:
    """The run of a system, asked as it is by default, whose adapter a run takes that has its settings otherwise.

    Raises:
        InputError: the system tunes no adapter that could be taken.
    """
    fields = spec.config.model_fields.keys()
    if "adapter" not in fields:
        raise InputError(f"adapter={spec.name}: tunes none that another system could take")
    shared = fields & config.settings.keys() - {"adapter", *spec.layout, *spec.asks}
    changes = {key: config.settings[key] for key in shared} | {"adapter": None}
    return _beside(config, spec.name, dataset, home, changes).model_copy(update={"retriever": config.retriever})


@contextmanager
def alone(path: Path, report: Report) -> Iterator[None]:
    """Hold a lock file, and say so where another process has it."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        report("another process is making this run; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def inputs(spec: SystemSpec, config: RunConfig, dataset: Dataset, home: Home, report: Report) -> dict[str, str]:
    """Digests of what a run reads: the data's files and, for an LLM, its backbone, its summariser and its wording."""
    digests, settings = digests_of(dataset.sources), config.settings
    if config.probe == "ceiling":
        return digests
    if "backbone" in spec.needs:
        digests["backbone"] = backbone.digest(settings["backbone"], home, report)
    if "summarizer" in spec.needs and settings["summarizer"] not in WITHOUT_LLM:
        digests["summarizer"] = backbone.digest(settings["summarizer"], home, report)
    if "prompts" in spec.needs:
        digests["prompts"] = wording.digest(settings["prompts"], dataset.name)
    return digests


def check(spec: SystemSpec, config: RunConfig, dataset: Dataset) -> None:
    """Refuse what cannot be.

    Raises:
        InputError: the system does not do the task, the data is not for it, or lacks what the system needs.
    """
    if config.task.name == "next-item":
        if dataset.parts is not None:
            raise InputError(f"{dataset.name}: every user is one case, asked among candidates; take task candidates")
        if config.task.negatives != "uniform":
            raise InputError(f"task.negatives={config.task.negatives}: is of task candidates; next-item draws none")
    if config.task.name not in spec.tasks:
        raise InputError(f"system {spec.name} cannot do task {config.task.name}; it can do: {', '.join(spec.tasks)}")
    if "texts" in spec.needs and "" in dataset.titles[1:]:
        item = dataset.raw_items[dataset.titles.index("", 1)]
        raise InputError(f"{dataset.name}: item {item} has no title; {spec.name} needs one for every item")
    if config.task.name == "next-item" and config.task.test_limit and "retriever" not in spec.needs:
        raise InputError(f"task.test_limit: is of re-rankers; system {spec.name} answers all queries at once")
    if config.retriever and "retriever" not in spec.needs:
        raise InputError(f"system {spec.name} ranks the whole catalogue; it takes no retriever's run")


def _beside(
    config: RunConfig, system: str, dataset: Dataset, home: Home, changes: dict[str, Any] | None = None
) -> RunConfig:
    """Another system's run of the same data, profile, seed and task, with the settings that a search took."""
    own = resolve.resolve(system, config.dataset, config.profile, config.seed, config.device, changes)
    own = own.model_copy(update={"task": config.task.whole()})
    return as_searched(own, all_selections(home.runs), digests_of(dataset.sources))


def _retriever(config: RunConfig, dataset: Dataset, home: Home, command: str, report: Report) -> Run:
    if config.retriever is None:
        name = config.settings["retriever"]
        if "retriever" in register.find(name).needs:
            raise InputError(f"retriever={name}: is a re-ranker itself; name a system that ranks the whole catalogue")
        found, _ = execute(_beside(config, name, dataset, home), home, command, report)
    elif not (found := store.find(home.runs, config.retriever.run)):  # type: ignore[assignment]
        raise InputError(f"retriever run {config.retriever.run}: not under {home.runs}; run the retriever first")
    if found.config.probe:
        raise InputError(f"retriever run {found.record.run}: is probed by {found.config.probe}; name one that is not")
    if found.config.retriever:
        raise InputError(
            f"retriever run {found.record.run}: is {found.config.system}'s, a re-ranker that keeps no lists"
        )
    same_data = digests_of(found.record.data) == digests_of(dataset.sources)
    if not same_data or (found.config.task, found.config.seed) != (config.task.whole(), config.seed):
        raise InputError(f"retriever run {found.record.run}: made from other data, task or seed than this run's")
    rerank.check([found.lists(part) for part in store.PARTS], config.task.candidates, dataset.name)
    return found
