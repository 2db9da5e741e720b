"""Figure 3 of LlamaRec and past it: ranking by one forward pass beside writing the ranked list, and the floor of both.

python -m pytest benchmarks/test_latency.py --benchmark-json out.json. LLMREC_PROFILE: ``smoke`` takes the tiny backbone
and short lists, ``cpu`` SmolLM2, ``gpu`` the shape of Llama-2-7b in bfloat16 and in NF4, in batches of 1 and 16.
Absolute times are the machine's; what holds between two commits are the ratios inside one run.
"""

import os
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from harness import environment, home, roofline
from harness.llm import backbone, ranking_cost, vllm_engine
from harness.llm.backbone import Backbone, Quantisation
from harness.llm.ranking_cost import METHODS, VERBALIZER, RankingCost
from harness.llm.sized_prompts import sized_prompts
from harness.llm.vllm_engine import Write
from harness.roofline import Ceilings

TITLE_TOKENS = (5, 10, 15, 20, 25, 30, 35, 40)


@dataclass(frozen=True)
class Plan:
    """How much of it a profile measures.

    Attributes:
        items: of the history, and candidates.
        repeats: of the verbalizer, and of a written list.
        rivals: lengths of titles at which other ways to write than the paper's are measured.
    """

    backbones: tuple[tuple[str, Quantisation], ...]
    batches: tuple[int, ...]
    items: int
    repeats: tuple[int, int]
    rivals: tuple[int, ...] = TITLE_TOKENS


PLANS = {
    "smoke": Plan((("tiny", "none"),), batches=(1, 2), items=3, repeats=(10, 1), rivals=(20,)),
    "cpu": Plan((("smollm2-135m", "none"),), batches=(1,), items=20, repeats=(10, 1)),
    "gpu": Plan((("llama-2-7b-shape", "none"), ("llama-2-7b-shape", "nf4")), (1, 16), items=20, repeats=(100, 3)),
}
PLAN = PLANS[os.environ.get("LLMREC_PROFILE", "smoke")]
DEVICE = torch.device(environment.check_device(None))
CASES = [
    case
    for case in product(PLAN.backbones, PLAN.batches, TITLE_TOKENS, METHODS)
    if case[3] in (VERBALIZER, "titles") or case[2] in PLAN.rivals
]
measured: dict[tuple[str, int, int, str], RankingCost] = {}


@lru_cache(maxsize=1)
def load(name: str, quantisation: Quantisation) -> Backbone:
    """The backbone; the one before it makes room."""
    return backbone.load(name, home.resolve(), DEVICE, quantisation=quantisation, report=lambda line: None)


@lru_cache(maxsize=1)
def serve(name: str, quantisation: Quantisation) -> Write:
    """An engine of its own with the same weights; the folder that it read them from goes at once."""
    with TemporaryDirectory() as folder:
        return vllm_engine.engine(load(name, quantisation), Path(folder))


@cache
def ceilings(dtype: str) -> Ceilings:
    """Of this machine, measured once a dtype."""
    return roofline.measure_ceilings(DEVICE, getattr(torch, dtype))


@pytest.mark.parametrize(("named", "batch", "title_tokens", "method"), CASES)
def test_ranking(
    benchmark: BenchmarkFixture,
    titles: list[str],
    named: tuple[str, Quantisation],
    batch: int,
    title_tokens: int,
    method: str,
) -> None:
    writing = METHODS[method]
    if writing and DEVICE.type == "cpu" and (writing.served or writing.cache == "compiled"):
        pytest.skip("needs a GPU")
    if writing and writing.served and (named[1] != "none" or not find_spec("vllm")):
        pytest.skip("needs vLLM (pip install 'llmrec-harness[vllm]') and unquantised weights")
    llm = load(*named)
    asked = sized_prompts(
        llm, titles, title_tokens=title_tokens, batch=batch, history=PLAN.items, candidates=PLAN.items
    )
    cost = ranking_cost.measure(
        llm,
        method,
        asked,
        ceilings(llm.record.dtype),
        PLAN.repeats[method != VERBALIZER],
        engine=serve(*named) if writing and writing.served else None,
        loop=lambda once, repeats: benchmark.pedantic(once, rounds=repeats),
    )
    checkpoint = " ".join(named)
    measured[checkpoint, batch, title_tokens, method] = cost
    verbalizer = measured.get((checkpoint, batch, title_tokens, VERBALIZER), cost)
    benchmark.group = f"{checkpoint}, batch {batch}, titles of {title_tokens} tokens"
    benchmark.extra_info |= cost.row() | {"times_verbalizer": cost.p50_ms / verbalizer.p50_ms}


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
