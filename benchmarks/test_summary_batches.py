"""The share of summaries that change with the batch they are written in, at the precision that runs use.

In float32 none does (tests/llm/test_summarizer.py); in bfloat16 another batch rounds otherwise, and a sampled text goes
another way from there. python -m pytest benchmarks/test_summary_batches.py -s; LLMREC_PROFILE=cpu takes SmolLM2.
"""

import os
from collections.abc import Callable

import torch
from pytest_benchmark.fixture import BenchmarkFixture

from harness import home
from harness.llm import backbone
from harness.llm.backbone import Backbone
from harness.llm.generation import generate
from harness.seeds import rng

SMOKE = os.environ.get("LLMREC_PROFILE", "smoke") == "smoke"
BACKBONE, LENGTH, TOKENS = ("tiny", 100, 16) if SMOKE else ("smollm2-135m", 120, 24)
PROMPTS = 8


def written(llm: Backbone, prompts: list[list[int]], batch_size: int) -> list[list[int]]:
    noise = [rng(1, "summary", row) for row in range(len(prompts))]
    return generate(llm, prompts, max_new_tokens=TOKENS, noise=noise, batch_size=batch_size)


def changed(write: Callable[[int], list[list[int]]]) -> float:
    """The share of texts that differ between batches of one and one batch of all."""
    pairs = list(zip(write(1), write(PROMPTS), strict=True))
    return sum(one != other for one, other in pairs) / len(pairs)


def test_what_the_batch_changes(benchmark: BenchmarkFixture) -> None:
    llm = backbone.load(BACKBONE, home.resolve(), torch.device("cpu"), dtype="bfloat16")
    generator = rng(1, "benchmark")
    prompts = [generator.integers(3, 250, size=LENGTH + 5 * row).tolist() for row in range(PROMPTS)]
    share = benchmark.pedantic(changed, args=(lambda size: written(llm, prompts, size),), rounds=1)
    benchmark.extra_info |= {"backbone": BACKBONE, "share_changed": share}
    print(f"\n{BACKBONE} bfloat16: {share:.0%} of {PROMPTS} texts of {TOKENS} tokens change with the batch")
