"""The harness's half of the comparison: one job as JSON on standard input, its result as the last line of output."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

import baselines  # noqa: F401  # registers the systems
from baselines import losses
from baselines.encoder import SequenceSystem, windows
from benchmarks.peers import jobs
from harness import data, home, metrics, peak_memory
from harness.config import TaskConfig
from harness.data.dataset import Dataset
from harness.data.splits import leave_one_out
from harness.outcomes import Outcomes
from harness.seeds import seeded
from harness.system import Context, Scorer, find
from harness.tasks import next_item
from harness.tasks.next_item import NextItem

VALIDATE_EVERY = 10  # steps
CPU = torch.device("cpu")


class _EnoughError(Exception):
    """Ends training from within a validation."""


def build(job: dict[str, Any]) -> SequenceSystem[Any]:
    """The job's system: cross-entropy over all items, and a plain Adam, as no weight decays."""
    spec = find(job["system"])
    settings = {
        "width": job["width"],
        "blocks": job["blocks"],
        "heads": job["heads"],
        "dropout": job["dropout"],
        "loss": "cross-entropy",
        "mask": job["mask"],
        "mask_last": job["mask_last"],
        "learning_rate": job["learning_rate"],
        "weight_decay": 0.0,
        "batch_size": job["batch"],
        "validate_every": VALIDATE_EVERY,
        "patience": sys.maxsize,
        "max_epochs": sys.maxsize,
    }
    known = {key: value for key, value in settings.items() if key in spec.config.model_fields}
    return spec.build(spec.config(**known))  # type: ignore[return-value]


def validation_of(dataset: Dataset, job: dict[str, Any]) -> NextItem:
    """The validation queries; as in RecBole's sequential evaluation, no seen item is excluded."""
    config = TaskConfig(window=job["length"], exclude="none")
    return next_item.part(dataset, leave_one_out(dataset), "validation", config)


@contextmanager
def counted_targets() -> Iterator[list[int]]:
    """Collect how many targets each step's loss has, where the loss itself is worked out."""
    counts: list[int] = []
    apply = losses._LinearCrossEntropy.apply

    def counting(features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
        counts.append(len(target))
        return apply(features, weight, bias, target)

    with mock.patch.object(losses._LinearCrossEntropy, "apply", staticmethod(counting)):
        yield counts


def training(dataset: Dataset, job: dict[str, Any]) -> dict[str, Any]:
    """Train until validation NDCG@10 is ``job["until_ndcg"]`` or ``job["train_s"]`` are over, one epoch at least."""
    split, task = leave_one_out(dataset), validation_of(dataset, job)
    examples = sum(1 for _ in windows(split.train, job["length"]))
    epoch_steps = -(-examples // job["batch"])
    curve: list[dict[str, float]] = []
    trained_s, resumed = 0.0, 0.0

    def validate(scorer: Scorer, limit: int | None = None) -> Outcomes:
        nonlocal trained_s, resumed
        started = time.perf_counter()
        trained_s += started - resumed
        outcomes = next_item.answer(scorer, task, CPU)[0]
        ndcg = metrics.estimate(outcomes, "NDCG", 10)
        resumed = time.perf_counter()
        point = {"steps": len(counts), "targets": sum(counts), "train_s": trained_s}
        curve.append({**point, "evaluate_s": resumed - started, "ndcg": ndcg})
        if len(counts) >= epoch_steps and (ndcg >= job["until_ndcg"] or trained_s >= job["train_s"]):
            raise _EnoughError
        return outcomes

    given = replace(dataset, sequences=split.train, times=None)
    with tempfile.TemporaryDirectory() as work, counted_targets() as counts:
        context = Context(
            given, job["seed"], CPU, job["length"], Path(work), validate, home.resolve(), lambda line: None
        )
        resumed = time.perf_counter()
        with suppress(_EnoughError):
            build(job).fit(split.train, context)
    return {"curve": curve, "epoch_steps": epoch_steps}


def ranking(dataset: Dataset, job: dict[str, Any]) -> dict[str, Any]:
    """Rank every user's validation target with an untrained model: memory the first time, time the second."""
    task, system = validation_of(dataset, job), build(job)
    with seeded(job["seed"], "init"):
        system.model = system.build(system.settings, dataset.n_items, job["length"])

    def rank() -> None:
        next_item.answer(system.score, task, CPU)

    peak_bytes = peak_memory.added_bytes(rank, CPU)
    started = time.perf_counter()
    rank()
    return {"evaluate_s": time.perf_counter() - started, "peak_bytes": peak_bytes}


def main() -> None:
    """One job in, one line of JSON out."""
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    if job["measure"] == "training":
        dataset = data.load(jobs.TRAINED, home.resolve(), print)
        result = training(dataset, job)
    else:
        dataset = jobs.beauty_sized(job["users"])
        result = ranking(dataset, job)
    print(json.dumps(result | {"users": dataset.n_users, "items": dataset.n_items}))


if __name__ == "__main__":
    main()
