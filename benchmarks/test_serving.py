"""What ranking costs as it grows: with the history, the candidates, the batch and the model; and the retriever's share.

One thing is changed at a time from 20 history items, 20 candidates, a batch of 1 and titles of 10 tokens. The retriever
is an untrained LRURec over as many items as the data set has: its time does not depend on its weights.
LLMREC_PROFILE: ``smoke`` takes the tiny backbone and two points a line, ``cpu`` adds SmolLM2, ``gpu`` all shapes.
"""

from dataclasses import dataclass, replace
from functools import cache

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from baselines.lrurec import LRURec, LRURecConfig
from benchmarks.machine import DEVICE, PROFILE, ceilings, load
from harness import latency
from harness.llm import prompts, ranking_cost
from harness.llm.ranking_cost import VERBALIZER
from harness.llm.sized_prompts import sized_prompts
from harness.seeds import rng, seeded

WORDING = prompts.load("llamarec")
TITLE_TOKENS = 10
WINDOW = 200  # items of the history that the retriever reads
BACKBONES = {
    "smoke": ("tiny",),
    "cpu": ("tiny", "smollm2-135m"),
    "gpu": ("tiny", "smollm2-135m", "llama-1b-shape", "llama-2-7b-shape"),
}[PROFILE]
REPEATS = {"smoke": 3, "cpu": 5, "gpu": 100}[PROFILE]


@dataclass(frozen=True)
class Point:
    """A request's size."""

    model: str
    history: int = 20
    candidates: int = 20
    batch: int = 1

    def __str__(self) -> str:
        return f"{self.model}-history{self.history}-candidates{self.candidates}-batch{self.batch}"


def points() -> list[Point]:
    """Each line's points, the common one once."""
    lines = {"history": (5, 10, 50, 100, 200), "candidates": (5, 10, 50, 100), "batch": (2, 4, 8, 16, 32)}
    if PROFILE == "smoke":
        lines = {"history": (5,), "candidates": (40,), "batch": (4,)}
    found = []
    for model in BACKBONES:
        found.append(Point(model))
        found += [replace(Point(model), **{what: value}) for what, values in lines.items() for value in values]
    return found


@cache
def retriever_ms(items: int, batch: int) -> float:
    """Median time in which the retriever scores all items for a batch of users and takes the best 20."""
    with seeded(1, "init"):
        model = LRURec(LRURecConfig(), items, WINDOW).to(DEVICE).eval()
    histories = torch.from_numpy(rng(1, "histories").integers(1, items + 1, (batch, WINDOW))).to(DEVICE)

    def retrieve() -> None:
        with torch.inference_mode():
            model.scores(histories).topk(20).indices.cpu()

    found = latency.measure(retrieve, DEVICE, REPEATS).percentile_ms(50)
    assert found is not None
    return found


@pytest.mark.parametrize("point", points(), ids=str)
def test_serving(benchmark: BenchmarkFixture, titles: list[str], point: Point) -> None:
    llm = load(point.model, "none")
    if point.model == "tiny" and point.candidates > 62:
        pytest.skip("tiny's tokenizer has 62 labels")
    asked = sized_prompts(
        llm,
        WORDING,
        titles,
        title_tokens=TITLE_TOKENS,
        batch=point.batch,
        history=point.history,
        candidates=point.candidates,
    )
    cost = ranking_cost.measure(
        llm,
        VERBALIZER,
        asked,
        ceilings(llm.record.dtype),
        REPEATS,
        loop=lambda once, repeats: benchmark.pedantic(once, rounds=repeats),
    )
    retrieved_ms = retriever_ms(len(titles), point.batch)
    energy_j = cost.whole.energy_j
    benchmark.group = point.model
    benchmark.extra_info |= cost.row() | {
        "retriever_ms": retrieved_ms,
        "retriever_share": retrieved_ms / (retrieved_ms + cost.p50_ms),
        "joules_per_1000_requests": None if energy_j is None else 1000 * energy_j / point.batch,
    }
