"""Measured costs that nobody measured."""

from harness.costs import KeptCost
from harness.latency import Measured
from harness.llm.ranking_cost import RankingCost
from harness.record import ModelRecord
from harness.roofline import Ceilings
from tests.made_runs import SMOL


def made_cost(
    method: str = "verbalizer", tokens: int = 20, ms: float = 500.0, *, model: ModelRecord = SMOL, batch: int = 1
) -> KeptCost:
    """A sealed cost of one method at one length of titles."""
    cost = RankingCost(
        method=method,
        checkpoint=model.name,
        model=model,
        prompt_sha="ab" * 32,
        prompt_tokens=600.0,
        title_tokens=float(tokens),
        history=20,
        candidates=20,
        batch=batch,
        tokens=0.0,
        whole=Measured(timings_ms=(ms, ms, 1.5 * ms), peak_bytes=2**20),
        prefill=None,
        flops=1e9,
        bytes=1e8,
        ceilings=Ceilings(flops_per_s=1e12, bytes_per_s=1e11),
        prefill_floor_ms=ms / 2,
        decode_floor_ms=0.0,
    )
    kept = KeptCost(
        point=f"{method}-{tokens}-{batch}-{model.name}",
        titles="ml-latest-small",
        cost=cost,
        command="harness reproduce llamarec:figure3",
        started_at="2026-11-22T12:00:00+00:00",
        git_sha="0" * 40,
        dirty=False,
        versions={"torch": "2.13.0"},
        hardware={"processor": "made up", "threads": 2},
    )
    return kept.model_copy(update={"seal": kept.digest()})
