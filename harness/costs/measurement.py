"""Measuring costs of ranking, each kept as soon as it is there."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from harness import commits, environment, roofline
from harness.costs import kept as costs
from harness.costs.kept import KeptCost
from harness.costs.plan import Point
from harness.costs.retrieval import RetrievalCost
from harness.data.dataset import Dataset
from harness.home import Home
from harness.llm import backbone, lora, prompts, ranking_cost, vllm_engine
from harness.llm.ranking_cost import METHODS
from harness.llm.sized_prompts import sized_prompts
from harness.progress import Report
from harness.store import Run
from harness.system import find


def measure(
    points: dict[str, Point],
    tuned: Mapping[str, Run],
    wording: str,
    titles: Dataset,
    device: torch.device,
    home: Home,
    command: str,
    report: Report,
    retrieval: Callable[[int, int], RetrievalCost] | None = None,
) -> None:
    """Measure points one after the other.

    Args:
        points: by identity, those of one checkpoint in a row.
        tuned: for each checkpoint of the points a run that carries its adapter.
        wording: of the prompts.
        titles: whose titles the prompts are made of.
        device: where backbones go.
        home: where they come from, and where costs are kept.
        command: what the user typed.
        report: takes one line of progress at a time.
        retrieval: what times a retriever beside each point (:func:`harness.costs.retrieval.measurer`).
    """
    loaded: dict[tuple[str, str, str | None], tuple[backbone.Backbone, roofline.Ceilings]] = {}
    sha, dirty = commits.here()
    for place, (name, point) in enumerate(points.items(), start=1):
        wanted = (point.backbone, point.quantisation, point.checkpoint)
        if wanted not in loaded:
            loaded.clear()
            llm = backbone.load(point.backbone, home, device, quantisation=point.quantisation, report=report)
            if point.checkpoint:
                _adapt(llm, tuned[point.checkpoint])
            loaded[wanted] = llm, roofline.measure_ceilings(device, getattr(torch, llm.record.dtype))
        llm, ceilings = loaded[wanted]
        started = datetime.now(UTC).isoformat(timespec="seconds")
        size = {"history": point.history, "candidates": point.candidates, "batch": point.batch}
        asked = sized_prompts(llm, prompts.load(wording), titles.titles, title_tokens=point.title_tokens, **size)
        with ExitStack() as scratch:
            writing, engine = METHODS[point.method], None
            if writing and writing.served:
                engine = vllm_engine.engine(llm, Path(scratch.enter_context(TemporaryDirectory())))
            cost = ranking_cost.measure(
                llm, point.method, asked, ceilings, point.repeats, checkpoint=point.checkpoint, engine=engine
            )
        kept = KeptCost(
            point=name,
            titles=titles.name,
            cost=cost,
            retrieval=retrieval(point.batch, point.repeats) if retrieval else None,
            device=device.type,
            command=command,
            started_at=started,
            git_sha=sha,
            dirty=dirty,
            versions=environment.versions(),
            hardware=environment.hardware(),
        )
        costs.write(kept.sealed(), home.runs)
        of_run = f" of run {point.checkpoint}" if point.checkpoint else ""
        report(
            f"{place} of {len(points)}: {point.backbone}{of_run}, {point.method}, titles of {point.title_tokens} "
            f"tokens, history {point.history}, candidates {point.candidates}, batch {point.batch}: "
            f"{cost.p50_ms:.0f} ms, {cost.p50_ms / cost.floor_ms:.1f} times the floor"
        )


def _adapt(llm: backbone.Backbone, run: Run) -> None:
    """Merge a finished run's adapter into the backbone."""
    settings = find(run.config.system).config.model_validate(run.config.settings)
    assert isinstance(settings, lora.LoraConfig)
    lora.add(llm, settings, run.config.seed)
    lora.take(llm.model, run.weights())
    lora.merge(llm.model)
