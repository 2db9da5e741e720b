"""Measured costs that nobody measured."""

from harness.costs.kept import KeptCost
from harness.costs.retrieval import RetrievalCost
from harness.latency import Measured
from harness.llm.ranking_cost import RankingCost
from harness.record import ModelRecord
from harness.roofline import Ceilings
from tests.made_runs import SMOL


def made_cost(
    method: str = "verbalizer",
    tokens: int = 20,
    ms: float = 500.0,
    *,
    model: ModelRecord = SMOL,
    batch: int = 1,
    history: int = 20,
    candidates: int = 20,
    retriever_ms: float | None = None,
    energy_j: float | None = None,
    timings: int = 3,
    written: float = 0.0,
    checkpoint: str | None = None,
) -> KeptCost:
    """A sealed cost of one method at one size: timings of ``ms``, the last of half as much again, a floor of half."""
    cost = RankingCost(
        method=method,
        checkpoint=checkpoint or model.name,
        model=model,
        prompt_sha="ab" * 32,
        prompt_tokens=600.0,
        title_tokens=float(tokens),
        history=history,
        candidates=candidates,
        batch=batch,
        tokens=written,
        whole=Measured(timings_ms=(ms,) * (timings - 1) + (1.5 * ms,), peak_bytes=2**20, energy_j=energy_j),
        prefill=None,
        flops=1e9,
        bytes=1e8,
        ceilings=Ceilings(flops_per_s=1e12, bytes_per_s=1e11),
        prefill_floor_ms=ms / 2,
        decode_floor_ms=0.0,
        linear_weights=1000,
    )
    kept = KeptCost(
        point=f"{method}-{tokens}-{batch}-{history}-{candidates}-{timings}-{model.name}",
        titles="ml-latest-small",
        cost=cost,
        retrieval=retriever_ms and RetrievalCost(run="f" * 16, whole=Measured(timings_ms=(retriever_ms,))),
        command="harness reproduce llamarec:figure3",
        started_at="2026-11-22T12:00:00+00:00",
        git_sha="0" * 40,
        dirty=False,
        versions={"torch": "2.13.0"},
        hardware={"processor": "made up", "threads": 2},
    )
    return kept.sealed()


def made_lines() -> list[KeptCost]:
    """A cost of serving at the common point, and one beside it on each line."""
    return [
        made_cost(tokens=10, ms=400.0, batch=4, energy_j=8.0),
        made_cost(tokens=10, ms=300.0, candidates=100),
        made_cost(tokens=10, ms=100.0, history=5, retriever_ms=25.0),
        made_cost(tokens=10, ms=200.0, retriever_ms=50.0),
    ]
