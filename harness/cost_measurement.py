"""Measuring costs of ranking, each kept as soon as it is there."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from harness import costs, environment, roofline
from harness.cost_plan import Point
from harness.costs import KeptCost
from harness.data.dataset import Dataset
from harness.home import Home
from harness.llm import backbone, prompts, ranking_cost, vllm_engine
from harness.llm.ranking_cost import METHODS
from harness.llm.sized_prompts import sized_prompts
from harness.progress import Report
from harness.retrieval_cost import RetrievalCost


def measure(
    points: dict[str, Point],
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
        points: by identity, those of one backbone in a row.
        wording: of the prompts.
        titles: whose titles the prompts are made of.
        device: where backbones go.
        home: where they come from, and where costs are kept.
        command: what the user typed.
        report: takes one line of progress at a time.
        retrieval: what times a retriever beside each point (:func:`harness.retrieval_cost.measurer`).
    """
    loaded: dict[tuple[str, str], tuple[backbone.Backbone, roofline.Ceilings]] = {}
    sha, dirty = environment.commit()
    for place, (name, point) in enumerate(points.items(), start=1):
        wanted = (point.backbone, point.quantisation)
        if wanted not in loaded:
            loaded.clear()
            llm = backbone.load(point.backbone, home, device, quantisation=point.quantisation, report=report)
            loaded[wanted] = llm, roofline.measure_ceilings(device, getattr(torch, llm.record.dtype))
        llm, ceilings = loaded[wanted]
        started = datetime.now(UTC).isoformat(timespec="seconds")
        size = {"history": point.history, "candidates": point.candidates, "batch": point.batch}
        asked = sized_prompts(llm, prompts.load(wording), titles.titles, title_tokens=point.title_tokens, **size)
        with ExitStack() as scratch:
            writing, engine = METHODS[point.method], None
            if writing and writing.served:
                engine = vllm_engine.engine(llm, Path(scratch.enter_context(TemporaryDirectory())))
            cost = ranking_cost.measure(llm, point.method, asked, ceilings, point.repeats, engine=engine)
        kept = KeptCost(
            point=name,
            titles=titles.name,
            cost=cost,
            retrieval=retrieval(point.batch, point.repeats) if retrieval else None,
            command=command,
            started_at=started,
            git_sha=sha,
            dirty=dirty,
            versions=environment.versions(),
            hardware=environment.hardware(),
        )
        kept = kept.model_copy(update={"seal": kept.digest()})
        costs.write(kept, home.runs)
        report(
            f"{place} of {len(points)}: {point.backbone}, {point.method}, titles of {point.title_tokens} tokens, "
            f"history {point.history}, candidates {point.candidates}, batch {point.batch}: {cost.p50_ms:.0f} ms, "
            f"{cost.p50_ms / cost.floor_ms:.1f} times the floor"
        )
