"""Finished runs on disk with made-up outcomes, for tests of what is computed from runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

import baselines  # noqa: F401  registers the systems
from harness import outcomes as outcome_file
from harness import store
from harness.config import Probe, Profile, Retriever, RunConfig, TaskConfig
from harness.data.dataset import SourceRecord, digests
from harness.outcomes import Outcomes
from harness.record import FitRecord, ModelRecord, QueryCounts, RunRecord, Statistics
from harness.resolve import resolve
from harness.selection import Selection, Tried
from harness.store import Run

LLAMA = ModelRecord(name="meta-llama/Llama-2-7b-hf", sha256="a" * 64, dtype="bfloat16", quantisation="nf4")
SMOL = ModelRecord(name="smollm2-135m", sha256="b" * 64, dtype="bfloat16", quantisation="none")
RATINGS = SourceRecord(name="ratings.csv", origin="mirror", size_bytes=10, sha256="c" * 64, pinned=True)
NEVER_HELD = SourceRecord(name="raw.zip", origin="url", size_bytes=10, sha256="d" * 64, pinned=False)
SIZES = {
    "ml-latest-small": Statistics(users=610, items=3650, interactions=90274),
    "ml-100k": Statistics(users=943, items=1349, interactions=99287),
}


def of_profile(system: str, profile: Profile = "paper", **changes: Any) -> dict[str, Any]:
    """What :func:`make_run` takes for a candidates run on ml-latest-small as a profile has it, but for the changes."""
    config = resolve(system, "ml-latest-small", profile, 42, "cpu", {"task.name": "candidates"} | changes)
    return {"profile": profile, "settings": config.settings, "task": config.task}


def make_search(
    taken: RunConfig,
    values: Sequence[dict[str, float]],
    sources: Sequence[SourceRecord] = (RATINGS,),
    started_at: str = "2026-01-01T00:00:00+00:00",
) -> Selection:
    """A search that tried ``values`` on ``sources`` and took ``taken``, whose point validated best."""
    best = [all(taken.settings[key] == value for key, value in each.items()) for each in values]
    return Selection(
        config=taken,
        inputs=digests(sources),
        monitor="Recall@10",
        tried=tuple(
            Tried(settings=each, value=0.5 if first else 0.1, best_step=5, steps=9)
            for each, first in zip(values, best, strict=True)
        ),
        command=f"harness run {taken.system} --grid",
        started_at=started_at,
        git_sha=None,
        dirty=None,
    ).sealed()


def make_run(
    runs: Path,
    system: str,
    ranks: Sequence[int],
    *,
    dataset: str = "ml-latest-small",
    profile: Profile = "paper",
    seed: int = 42,
    settings: dict[str, Any] | None = None,
    task: TaskConfig | None = None,
    retriever: Run | None = None,
    asked: Sequence[bool] | None = None,
    ties: Sequence[int] | None = None,
    started_at: str = "2026-01-01T00:00:00+00:00",
    probe: Probe | None = None,
    weights: bool = False,
    **record: Any,
) -> Run:
    """Write a run whose target ranks are ``ranks``, users 1, 2, ... in order; ``record`` changes its record."""
    outcomes = Outcomes(
        query=np.arange(1, len(ranks) + 1),
        rank=np.array(ranks),
        ties=np.array(ties if ties is not None else [0] * len(ranks)),
        asked=np.array(asked if asked is not None else [True] * len(ranks)),
    )
    config = RunConfig(
        system=system,
        dataset=dataset,
        task=task or TaskConfig(),
        profile=profile,
        seed=seed,
        device="cpu",
        settings=settings or {},
        retriever=Retriever(system=retriever.config.system, run=retriever.record.run) if retriever else None,
        probe=probe,
    )
    identity = store.identity(config, {"made before": str(len(list(runs.glob("*"))))})
    answered = int(outcomes.asked.sum())

    def fill(folder: Path) -> RunRecord:
        outcome_file.write(outcomes, folder / "outcomes.parquet")
        if weights:
            save_file({"weight": torch.zeros(1)}, folder / store.WEIGHTS)
        facts = RunRecord(
            run=identity,
            system=system,
            dataset=dataset,
            profile=profile,
            seed=seed,
            command=f"harness run {system} --dataset {dataset} --profile {profile} --seed {seed}",
            started_at=started_at,
            git_sha="0123456789abcdef0123456789abcdef01234567",
            dirty=False,
            versions={"llmrec-harness": "0.1.0", "torch": "2.13.0"},
            hardware={},
            determinism=(),
            resumed=False,
            wall_s=1.5,
            peak_memory_bytes=1,
            peak_device_memory_bytes=None,
            energy_j=None,
            data=(RATINGS,),
            data_notes=(),
            model=None,
            fit=FitRecord(steps=7),
            queries=QueryCounts(asked=answered, withheld=len(ranks) - answered, target_seen=0),
            statistics=SIZES.get(dataset, Statistics(users=1, items=1, interactions=1)),
        )
        return facts.model_copy(update=record)

    return store.write(runs, config, identity, fill)
