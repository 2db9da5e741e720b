"""Figure 3 of LlamaRec and past it: ranking by one forward pass beside writing the ranked list, and the floor of both.

python -m pytest benchmarks/test_latency.py --benchmark-json out.json. LLMREC_PROFILE: ``smoke`` takes the tiny backbone
and short lists, ``cpu`` SmolLM2, ``gpu`` the shape of Llama-2-7b in bfloat16 and in NF4, in batches of 1 and 16.
Absolute times are the machine's; what holds between two commits are the ratios inside one run.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.machine import DEVICE, PROFILE, ceilings, load
from harness.llm import prompts, ranking_cost, vllm_engine
from harness.llm.backbone import Quantisation
from harness.llm.ranking_cost import METHODS, VERBALIZER, RankingCost
from harness.llm.sized_prompts import sized_prompts
from harness.llm.vllm_engine import Write

WORDING = prompts.load("llamarec")
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
PLAN = PLANS[PROFILE]
CASES = [
    case
    for case in product(PLAN.backbones, PLAN.batches, TITLE_TOKENS, METHODS)
    if case[3] in (VERBALIZER, "titles") or case[2] in PLAN.rivals
]
measured: dict[tuple[str, int, int, str], RankingCost] = {}


@lru_cache(maxsize=1)
def serve(name: str, quantisation: Quantisation) -> Write:
    """An engine of its own with the same weights; the folder that it read them from goes at once."""
    with TemporaryDirectory() as folder:
        return vllm_engine.engine(load(name, quantisation), Path(folder))


def case_id(case: tuple[tuple[str, Quantisation], int, int, str]) -> str:
    """A name by which the same case is found in another commit's results."""
    (name, quantisation), batch, title_tokens, method = case
    return f"{name}-{quantisation}-batch{batch}-title{title_tokens}-{method}"


@pytest.mark.parametrize(("named", "batch", "title_tokens", "method"), CASES, ids=map(case_id, CASES))
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
        llm, WORDING, titles, title_tokens=title_tokens, batch=batch, history=PLAN.items, candidates=PLAN.items
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
