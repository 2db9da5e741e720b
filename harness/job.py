"""One run from beginning to end: system fitted, queries answered, folder filled."""

import json
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from harness import (
    blind,
    card,
    checkpoint,
    commits,
    environment,
    outcomes,
    positions,
    probes,
    repeated,
    store,
    summarised,
)
from harness.blind import BothScores
from harness.config import RunConfig
from harness.data.dataset import Dataset, Ids
from harness.data.splits import Split, split_of
from harness.data.ties import order_ties
from harness.home import Home
from harness.llm import weights
from harness.llm.summary import Summarises
from harness.outcomes import Ints, Outcomes
from harness.progress import Report
from harness.record import FitRecord, QueryCounts, RunRecord, Statistics
from harness.store import Run
from harness.system import Context, Noting, Scorer, System, SystemSpec, find
from harness.tasks import candidates, next_item, rerank


@dataclass(frozen=True)
class Answers:
    """Outcomes of the test queries; from a retriever also those of validation, and both parts' lists.

    A probe of the candidates' order has the target's position for each asked query, shape [asked query].
    """

    test: Outcomes
    validation: Outcomes | None = None
    lists: tuple[Ids, Ids] | None = None
    positions: Ints | None = None


@dataclass(frozen=True)
class Job:
    """A run that is being executed; :meth:`fill` reads from top to bottom as what a run is.

    Attributes:
        retriever: the run whose lists are ranked.
        trained: the finished run that a probe asks again, or whose adapter is taken; nothing is trained then.
    """

    spec: SystemSpec
    config: RunConfig
    dataset: Dataset
    split: Split
    retriever: Run | None
    home: Home
    run: str
    command: str
    report: Report
    trained: Run | None = None

    @property
    def work(self) -> Path:
        """Checkpoints of this run."""
        return self.home.work / self.run

    @property
    def on_gpu(self) -> bool:
        """Whether it computes there."""
        return self.config.device.startswith("cuda")

    @classmethod
    def again(cls, run: Run, dataset: Dataset, home: Home, report: Report, **changes: Any) -> "Job":
        """A finished run's, to have its system back.

        Args:
            run: the run.
            dataset: as it was loaded; ties are ordered as the run ordered them.
            home: where backbones are.
            report: takes one line of progress at a time.
            changes: other fields.
        """
        config, spec = run.config, find(run.config.system)
        dataset = order_ties(dataset, config.task.same_time, config.seed)
        job = cls(spec, config, dataset, split_of(dataset), None, home, run.record.run, "", report)
        return replace(job, **changes)

    def fill(self, folder: Path) -> RunRecord:
        """Fit, answer, write the run's files into ``folder``, and return the record."""
        config, started = self.config, datetime.now(UTC)
        resumed = checkpoint.load(self.work) is not None
        energy = card.energy_j() if self.on_gpu else None
        with _collected_warnings() as nondeterministic:
            clock = [time.perf_counter()]
            system, fit = self.fit()
            compared = None
            if config.probe == "label-blind":
                compared = BothScores(system.score, self.twin().fit()[0].score)
            clock.append(time.perf_counter())
            trained = checkpoint.trained(self.work)
            answers = self.answer(compared or system.score)
            clock.append(time.perf_counter())
        outcomes.write(answers.test, folder / "outcomes.parquet")
        if answers.validation and answers.lists:
            outcomes.write(answers.validation, folder / store.VALIDATION)
            store.write_lists(*answers.lists, folder / store.LISTS)
        summarised.write(system, self.dataset, folder / store.SUMMARIES)
        if answers.positions is not None:
            positions.write(answers.test.query[answers.test.asked], answers.positions, folder)
        if (fitted := system.weights()) and not (self.trained and config.probe):
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in fitted.items()},
                folder / store.WEIGHTS,
            )
        fit_s, score_s = clock[1] - clock[0], clock[2] - clock[1]
        spent_s = fit.elapsed_s if resumed and fit.elapsed_s else fit_s
        (folder / "timings.json").write_text(
            json.dumps({"fit_s": fit_s, "score_s": score_s, "queries": len(answers.test)}) + "\n"
        )
        spent = card.energy_j() if self.on_gpu else None
        asked = int(answers.test.asked.sum())
        said = (compared.notes() if compared else {}) | (system.notes() if isinstance(system, Noting) else {})
        test = self.asked("test")
        if isinstance(test, candidates.CandidateRanking):
            said |= repeated.notes(test, answers.test)
        said |= summarised.notes(system, self.split, (self.asked("validation"), test), config.seed)
        return RunRecord(
            run=self.run,
            system=config.system,
            dataset=self.dataset.name,
            profile=config.profile,
            seed=config.seed,
            command=self.command,
            started_at=started.isoformat(timespec="seconds"),
            git_sha=commits.here()[0],
            dirty=commits.changed(trained.commits),
            versions=environment.versions(),
            hardware=environment.hardware(),
            determinism=tuple(sorted(nondeterministic)),
            resumed=resumed,
            wall_s=spent_s + score_s,
            peak_memory_bytes=environment.peak_memory_bytes(),
            peak_device_memory_bytes=environment.peak_device_memory_bytes() if self.on_gpu else None,
            energy_j=None if energy is None or spent is None or resumed else spent - energy,
            data=self.dataset.sources,
            data_notes=self.dataset.notes,
            model=system.backbone(),
            fit=fit.model_copy(update={"notes": fit.notes | said}),
            queries=QueryCounts(asked=asked, withheld=len(answers.test) - asked, target_seen=test.target_seen()),
            statistics=Statistics(
                users=self.dataset.n_users, items=self.dataset.n_items, interactions=self.dataset.n_interactions
            ),
            summarizer=system.summarizer_model() if isinstance(system, Summarises) else None,
            earlier_commits=commits.others(trained.commits),
            earlier_machines=environment.others(trained.machines),
        )

    def fit(self) -> tuple[System, FitRecord]:
        """Build the system and train it, from its checkpoint where there is one; or restore what was trained."""
        environment.ask_for_deterministic_kernels(self.config.device)
        if self.config.probe == "ceiling":
            return probes.Perfect(self.split.test), FitRecord()
        system = self.spec.build(self.spec.config.model_validate(self.config.settings))
        if self.trained is None:
            return system, system.fit(self.split.train, self.context())
        system.restore(self.trained.weights(), self.context())
        return system, _as_trained(self.trained)

    def twin(self) -> "Job":
        """This job in a world where every test target is another item (``harness.blind``)."""
        dataset, folder = blind.with_other_targets(self.dataset, self.config.seed), self.work / "twin"
        return replace(
            self,
            dataset=dataset,
            split=split_of(dataset),
            retriever=self.retriever and blind.without_ranks(self.retriever, folder / "retriever"),
            home=weights.share(self.home, folder),
            report=lambda line: self.report(f"with other targets: {line}"),
        )

    def asked(self, part: next_item.Part) -> next_item.NextItem | candidates.CandidateRanking:
        """The queries of the run's task; of a test among candidates as many as are asked."""
        config = self.config
        if config.task.name == "candidates":
            whole = candidates.part(self.dataset, self.split, part, config.task, config.seed)
            return candidates.limited(whole, config.task.test_limit) if part == "test" else whole
        return next_item.part(self.dataset, self.split, part, config.task)

    def retrieved(self, part: next_item.Part) -> rerank.Retrieved | None:
        """What a re-ranker is shown: its retriever's lists, as the probe has them, and their ranks."""
        if self.retriever is None:
            return None
        test = part == "test"
        outcomes = self.retriever.outcomes() if test else self.retriever.validation()
        targets = self.split.test if test else self.split.validation
        lists = probes.shown(self.config, self.retriever.lists(part), targets, self.dataset.n_items)
        return rerank.Retrieved(lists, outcomes)

    def context(self) -> Context:
        """What the system is given; validation goes through the task, so that it never sees a target."""
        config, device = self.config, torch.device(self.config.device)
        task = self.asked("validation")

        def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
            if isinstance(task, candidates.CandidateRanking):
                return candidates.answer(scorer, candidates.sample(task, limit, config.seed), device)
            if (retrieved := self.retrieved("validation")) is None:
                return next_item.answer(scorer, task, device, users=next_item.sample(task, limit, config.seed))[0]
            users = rerank.sample(task, retrieved, limit, config.seed)
            return rerank.answer(scorer, task, retrieved, users, device)

        given = Context(
            dataset=replace(self.dataset, sequences=self.split.train, times=self.split.train_times),
            seed=config.seed,
            device=device,
            window=config.task.window,
            work=self.work,
            validate=validate,
            home=self.home,
            report=lambda line: self.report(f"{config.system} seed {config.seed}: {line}"),
            cases=self.split.cases,
        )
        if self.retriever is None:
            return given
        restored = cache(partial(restore, self.retriever, given))

        def retrieve(history: Ids, answer: int) -> Ids:
            return rerank.retrieve(restored().score, history, answer, config.task, device)

        return replace(given, retrieve=retrieve)

    def answer(self, scorer: Scorer) -> Answers:
        """Ask every test query; a retriever is asked the validation queries too, for its re-rankers."""
        device, task = torch.device(self.config.device), self.config.task
        test = self.asked("test")
        if isinstance(test, candidates.CandidateRanking):
            return Answers(candidates.answer(scorer, test, device))
        if retrieved := self.retrieved("test"):
            users = rerank.sample(test, retrieved, task.test_limit, self.config.seed)
            asked = rerank.answer(scorer, test, retrieved, users, device)
            stood = rerank.positions(test, retrieved, users) if probes.is_order(self.config.probe) else None
            return Answers(asked if task.test_limit else rerank.complete(asked, retrieved), positions=stood)
        validation = next_item.part(self.dataset, self.split, "validation", task)
        validated, validation_lists = next_item.answer(scorer, validation, device, task.candidates)
        tested, test_lists = next_item.answer(scorer, test, device, task.candidates)
        return Answers(tested, validated, (validation_lists, test_lists))


def restore(run: Run, context: Context) -> System:
    """The system that a finished run left behind."""
    spec = find(run.config.system)
    system = spec.build(spec.config.model_validate(run.config.settings))
    system.restore(run.weights(), context)
    return system


def _as_trained(run: Run) -> FitRecord:
    """How a run whose weights are taken was trained, with where and when; the time was not spent again."""
    record = run.record
    facts = {
        "weights_of_run": record.run,
        "trained_on": "; ".join([*record.earlier_machines, run.machine]),
        "trained_at_commit": ", ".join(record.commits()) or commits.UNKNOWN,
    }
    return record.fit.model_copy(update={"notes": facts | record.fit.notes, "elapsed_s": None})


@contextmanager
def _collected_warnings() -> Iterator[set[str]]:
    """Collect torch's complaints about kernels that have no deterministic version.

    Other warnings are passed on, but for those that tell developers of a library's future.
    """
    found: set[str] = set()
    with warnings.catch_warnings(record=True) as caught:
        yield found
    for warning in caught:
        text = str(warning.message).splitlines()[0]
        if "deterministic" in text:
            found.add(text)
        elif not issubclass(warning.category, FutureWarning | DeprecationWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
