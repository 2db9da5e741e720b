"""What ranking costs as it grows: with the history, the candidates, the batch and the model; and the retriever's share.

One thing is changed at a time from 20 history items, 20 candidates, a batch of 1 and titles of 10 tokens. The retriever
is an untrained LRURec over as many items as the data set has: its time does not depend on its weights.
LLMREC_PROFILE: what its file in ``harness/profiles`` lists under ``costs: serving``; ``harness reproduce
llamarec:serving`` measures the same, with the retriever of a finished run, and keeps it.
"""

from functools import cache

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from baselines.lrurec import LRURec, LRURecConfig
from benchmarks.machine import DEVICE, PROFILE, ceilings, load
from harness import latency
from harness.costs.plan import Point, points
from harness.llm import prompts, ranking_cost
from harness.llm.sized_prompts import sized_prompts
from harness.seeds import rng, seeded

WORDING = prompts.load("llamarec")
WINDOW = 200  # items of the history that the retriever reads


def case_id(point: Point) -> str:
    """A name by which the same case is found in another commit's results."""
    return f"{point.backbone}-history{point.history}-candidates{point.candidates}-batch{point.batch}"


@cache
def retriever_ms(items: int, batch: int, repeats: int) -> float:
    """Median time in which the retriever scores all items for a batch of users and takes the best 20."""
    with seeded(1, "init"):
        model = LRURec(LRURecConfig(), items, WINDOW).to(DEVICE).eval()
    histories = torch.from_numpy(rng(1, "histories").integers(1, items + 1, (batch, WINDOW))).to(DEVICE)

    def retrieve() -> None:
        with torch.inference_mode():
            model.scores(histories).topk(20).indices.cpu()

    found = latency.measure(retrieve, DEVICE, repeats).percentile_ms(50)
    assert found is not None
    return found


@pytest.mark.parametrize("point", points("serving", PROFILE, DEVICE), ids=case_id)
def test_serving(benchmark: BenchmarkFixture, titles: list[str], point: Point) -> None:
    llm = load(point.backbone, point.quantisation)
    size = {"history": point.history, "candidates": point.candidates, "batch": point.batch}
    cost = ranking_cost.measure(
        llm,
        point.method,
        sized_prompts(llm, WORDING, titles, title_tokens=point.title_tokens, **size),
        ceilings(llm.record.dtype),
        point.repeats,
        loop=lambda once, repeats: benchmark.pedantic(once, rounds=repeats),
    )
    retrieved_ms = retriever_ms(len(titles), point.batch, point.repeats)
    benchmark.group = point.backbone
    benchmark.extra_info |= cost.row() | {
        "retriever_ms": retrieved_ms,
        "retriever_share": retrieved_ms / (retrieved_ms + cost.p50_ms),
        "energy_of_1000_requests_j": cost.energy_of_1000_requests_j,
    }
