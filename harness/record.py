"""``run.json``: the typed record of how a run came about."""

from typing import Literal

from harness import environment
from harness.commits import UNKNOWN
from harness.config import Profile, Strict
from harness.data.dataset import SourceRecord
from harness.sealed import Sealed


class FitRecord(Strict):
    """What a system says of its own training.

    Attributes:
        steps: optimiser steps done; 0 for a system that has none.
        best_step: the step whose weights were kept.
        stopped: why training ended; ``goal``: validation reached what was asked of it.
        monitor: the validation metric that chose the weights, e.g. ``Recall@10``; None without validation.
        curve: (step, validation metric, mean training loss since the last validation).
        notes: further facts worth printing beside the row, by name, e.g. ``prompts_seen``.
        elapsed_s: seconds of training and validation, all parts of a resumed run together; None where not kept.
    """

    steps: int = 0
    best_step: int = 0
    stopped: Literal["patience", "budget", "goal", "closed form"] = "closed form"
    monitor: str | None = None
    curve: tuple[tuple[int, float, float], ...] = ()
    notes: dict[str, float | int | str] = {}
    elapsed_s: float | None = None

    def best_value(self) -> float:
        """The best value of the monitored metric; 0 for a system that was not validated."""
        return max((value for _, value, _ in self.curve), default=0.0)


class ModelRecord(Strict):
    """The pretrained backbone behind a run.

    Attributes:
        name: catalogue name, hub id or folder.
        sha256: digest of its files (:class:`harness.llm.weights.Weights`).
        dtype: the dtype that the forward pass ran in.
        quantisation: ``none``, ``nf4`` or ``int8``.
    """

    name: str
    sha256: str
    dtype: str
    quantisation: str


class QueryCounts(Strict):
    """Counts of the test queries.

    Attributes:
        asked: scored by the system.
        withheld: not shown to a re-ranker, because the target was not retrieved.
        target_seen: queries whose target also stands among the items that are excluded; it is never masked.
    """

    asked: int
    withheld: int
    target_seen: int


class Statistics(Strict):
    """Size of the data set that the run used, after filtering."""

    users: int
    items: int
    interactions: int


class RunRecord(Sealed):
    """The whole record, written last of a folder's files.

    Attributes:
        run: the run's identity.
        command: what the user typed.
        git_sha: commit of the checkout, None outside one; ``dirty`` says whether it had changes, in any part of a
            resumed run, None where that is not known.
        determinism: kernels that had no deterministic version.
        resumed: whether training went on from a checkpoint.
        wall_s: fitting and scoring, in seconds, without reading the data; of a resumed run what its training loop took
            in all parts, without loading a backbone. ``timings.json`` has them apart, of the last part.
        peak_memory_bytes: of the whole process, and off Linux of its parent; under ``harness run`` it may have made the
            retriever's run as well.
        peak_device_memory_bytes: the most that torch held on the GPU; None without one.
        energy_j: of the GPU, in joules, where it can be read; None for a resumed run, whose first part was not read.
        data: the files that were read.
        model: the pretrained backbone behind the scores.
        summarizer: the pretrained model that summarised the histories that it reads.
        earlier_commits: others than ``git_sha`` that parts of its training were run from, ``unknown`` where that was
            not kept. Then nobody says that the run is the one that an uninterrupted training gives.
        earlier_machines: others than this one that parts of its training were run on: processors, threads and versions,
            ``unknown`` where that was not kept.
        files: sha256 of the folder's other files.
        seal: of the record itself.
    """

    run: str
    status: Literal["complete"] = "complete"
    system: str
    dataset: str
    profile: Profile
    seed: int
    command: str
    started_at: str
    git_sha: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, str | int | float]
    determinism: tuple[str, ...]
    resumed: bool
    wall_s: float
    peak_memory_bytes: int
    peak_device_memory_bytes: int | None
    energy_j: float | None
    data: tuple[SourceRecord, ...]
    data_notes: tuple[str, ...]
    model: ModelRecord | None
    fit: FitRecord
    queries: QueryCounts
    statistics: Statistics
    summarizer: ModelRecord | None = None
    earlier_commits: tuple[str, ...] = ()
    earlier_machines: tuple[str, ...] = ()
    files: dict[str, str] = {}
    seal: str = ""

    def commits(self) -> tuple[str, ...]:
        """All that it was trained and scored from, the last one last; empty if none is known."""
        lost = self.resumed and "earlier_commits" not in self.model_fields_set  # a record from before there was the key
        earlier = (UNKNOWN,) if lost else self.earlier_commits
        return (*earlier, self.git_sha or UNKNOWN) if earlier or self.git_sha else ()

    def machines(self) -> tuple[str, ...]:
        """All that it was trained and scored on, the last one last."""
        lost = self.resumed and "earlier_machines" not in self.model_fields_set
        earlier = (UNKNOWN,) if lost else self.earlier_machines
        return (*earlier, environment.machine_of(self.hardware, self.versions))
