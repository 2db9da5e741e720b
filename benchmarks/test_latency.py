"""Figure 3 of LlamaRec and past it: ranking by one forward pass beside writing the ranked list, and the floor of both.

python -m pytest benchmarks/test_latency.py --benchmark-json out.json. LLMREC_PROFILE: what its file in
``harness/profiles`` lists under ``costs``; ``harness reproduce llamarec:figure3`` measures the same and keeps it.
Absolute times are the machine's; what holds between two commits are the ratios inside one run.
"""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.machine import DEVICE, PROFILE, ceilings, load
from harness.costs.plan import Point, points
from harness.llm import prompts, ranking_cost, vllm_engine
from harness.llm.backbone import Quantisation
from harness.llm.ranking_cost import METHODS, VERBALIZER, RankingCost
from harness.llm.sized_prompts import sized_prompts
from harness.llm.vllm_engine import Write

WORDING = prompts.load("llamarec")
CASES = list(points("cost", PROFILE, DEVICE))
measured: dict[tuple[str, int, int, str], RankingCost] = {}


@lru_cache(maxsize=1)
def serve(name: str, quantisation: Quantisation) -> Write:
    """An engine of its own with the same weights; the folder that it read them from goes at once."""
    with TemporaryDirectory() as folder:
        return vllm_engine.engine(load(name, quantisation), Path(folder))


def case_id(point: Point) -> str:
    """A name by which the same case is found in another commit's results."""
    backbone = f"{point.backbone}-{point.quantisation}"
    return f"{backbone}-batch{point.batch}-title{point.title_tokens}-{point.method}"


@pytest.mark.parametrize("point", CASES, ids=case_id)
def test_ranking(benchmark: BenchmarkFixture, titles: list[str], point: Point) -> None:
    named, writing = (point.backbone, point.quantisation), METHODS[point.method]
    llm = load(*named)
    size = {"history": point.history, "candidates": point.candidates, "batch": point.batch}
    asked = sized_prompts(llm, WORDING, titles, title_tokens=point.title_tokens, **size)
    cost = ranking_cost.measure(
        llm,
        point.method,
        asked,
        ceilings(llm.record.dtype),
        point.repeats,
        engine=serve(*named) if writing and writing.served else None,
        loop=lambda once, repeats: benchmark.pedantic(once, rounds=repeats),
    )
    checkpoint = " ".join(named)
    measured[checkpoint, point.batch, point.title_tokens, point.method] = cost
    verbalizer = measured.get((checkpoint, point.batch, point.title_tokens, VERBALIZER))
    benchmark.group = f"{checkpoint}, batch {point.batch}, titles of {point.title_tokens} tokens"
    benchmark.extra_info |= cost.row() | {"times_verbalizer": verbalizer and cost.p50_ms / verbalizer.p50_ms}


def test_one_forward_pass_is_faster_than_writing_whatever_is_written() -> None:
    """The gate, a ratio inside this run: over all lengths of titles at which both were measured."""
    if not measured:
        pytest.skip("nothing was measured in this run")
    for method in METHODS.keys() - {VERBALIZER}:
        pairs = [
            (cost.p50_ms, measured[*case, VERBALIZER].p50_ms)
            for (*case, name), cost in measured.items()
            if name == method and (*case, VERBALIZER) in measured
        ]
        written_ms, verbalizer_ms = map(sum, zip(*pairs, strict=True)) if pairs else (1, 0)
        assert verbalizer_ms < written_ms, method
