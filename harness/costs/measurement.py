"""Measuring costs of ranking, each kept as soon as it is there."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from harness import commits, environment, roofline
from harness.config import one_line
from harness.costs import kept as costs
from harness.costs.kept import KeptCost
from harness.costs.plan import Point
from harness.costs.retrieval import RetrievalCost
from harness.data.dataset import Dataset
from harness.home import Home
from harness.llm import backbone, lora, prompts, ranking_cost, vllm_engine
from harness.llm.backbone import Backbone
from harness.llm.ranking_cost import METHODS, RankingCost
from harness.llm.sized_prompts import sized_prompts
from harness.progress import Report
from harness.roofline import Ceilings
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
) -> list[str]:
    """Measure points one after the other; whatever ends one, the others go on.

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

    Returns:
        A line for each point that could not be measured.
    """
    loaded: dict[tuple[str, str, str | None], tuple[Backbone, Ceilings]] = {}
    sha, dirty = commits.here()
    failed = []
    for place, (name, point) in enumerate(points.items(), start=1):
        wanted = (point.backbone, point.quantisation, point.checkpoint)
        of_run = f" of run {point.checkpoint}" if point.checkpoint else ""
        line = (
            f"{place} of {len(points)}: {point.backbone}{of_run}, {point.method}, titles of {point.title_tokens} "
            f"tokens, history {point.history}, candidates {point.candidates}, batch {point.batch}"
        )
        started = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            if wanted not in loaded:
                loaded.clear()  # nothing else holds the one before it, so there is room for this one
                loaded[wanted] = _load(point, tuned, device, home, report)
            cost = _cost(*loaded[wanted], point, wording, titles)
            found = retrieval(point.batch, point.repeats) if retrieval else None
        except Exception as error:
            failed.append(f"{line}: {type(error).__name__}: {one_line(error)}")
            report(f"error: {failed[-1]}")
            continue
        kept = KeptCost(
            point=name,
            titles=titles.name,
            cost=cost,
            retrieval=found,
            device=device.type,
            command=command,
            started_at=started,
            git_sha=sha,
            dirty=dirty,
            versions=environment.versions(),
            hardware=environment.hardware(),
        )
        costs.write(kept.sealed(), home.runs)
        report(f"{line}: {cost.p50_ms:.0f} ms, {cost.p50_ms / cost.floor_ms:.1f} times the floor")
    return failed


def _load(
    point: Point, tuned: Mapping[str, Run], device: torch.device, home: Home, report: Report
) -> tuple[Backbone, Ceilings]:
    """The point's backbone, with its adapter merged, and what the device reaches in its dtype."""
    llm = backbone.load(point.backbone, home, device, quantisation=point.quantisation, report=report)
    if point.checkpoint:
        _adapt(llm, tuned[point.checkpoint])
    return llm, roofline.measure_ceilings(device, getattr(torch, llm.record.dtype))


def _cost(llm: Backbone, ceilings: Ceilings, point: Point, wording: str, titles: Dataset) -> RankingCost:
    size = {"history": point.history, "candidates": point.candidates, "batch": point.batch}
    asked = sized_prompts(llm, prompts.load(wording), titles.titles, title_tokens=point.title_tokens, **size)
    with ExitStack() as scratch:
        writing, engine = METHODS[point.method], None
        if writing and writing.served:
            engine = vllm_engine.engine(llm, Path(scratch.enter_context(TemporaryDirectory())))
        return ranking_cost.measure(
            llm, point.method, asked, ceilings, point.repeats, checkpoint=point.checkpoint, engine=engine
        )


def _adapt(llm: Backbone, run: Run) -> None:
    """Merge a finished run's adapter into the backbone."""
    settings = find(run.config.system).config.model_validate(run.config.settings)
    assert isinstance(settings, lora.LoraConfig)
    lora.add(llm, settings, run.config.seed)
    lora.take(llm.model, run.weights())
    lora.merge(llm.model)
