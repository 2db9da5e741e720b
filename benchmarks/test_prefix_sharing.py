"""Scores of a case's 21 candidates: the prefix computed once, beside A and B, in one run and taking turns.

A: 21 forward passes' worth of prompts padded to the case's longest; B: the same padded to 2,048 tokens, as LLM-TRSR's
authors do. Their prompts being equally long, some are run and the rest reckoned. Prints the tokens that each computes.

python -m pytest benchmarks/test_prefix_sharing.py -s;
LLMREC_PROFILE=cpu takes SmolLM2 and prompts as long as MIND's.
"""

import time
from collections.abc import Callable

import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.machine import PROFILE
from harness import home
from harness.llm import backbone, prefix, yes_no
from harness.llm.verbalizer import hidden_states, row_logits
from harness.seeds import rng

SMOKE = PROFILE == "smoke"
BACKBONE, ROUNDS, DTYPE = ("tiny", 5, "float32") if SMOKE else ("smollm2-135m", 3, "auto")
PREFIX, SUFFIXES = 270, (26, 46)  # tokens on MIND: a summary of 48 and 5 recent items; one candidate
CANDIDATES, AUTHORS_TOKENS = 21, 2048
RUN_A, RUN_B = (21, 3) if SMOKE else (6, 1)  # so many of the 21 prompts
ANSWERS = (90, 80)


def padded(model: torch.nn.Module, prompts: list[list[int]], length: int, batch: int) -> Tensor:
    """Log-odds by separate prompts padded on the right to ``length``, ``batch`` of them at once."""
    scores = []
    with torch.inference_mode():
        for start in range(0, len(prompts), batch):
            chunk = prompts[start : start + batch]
            states = hidden_states(model, [[*prompt, *[0] * (length - len(prompt))] for prompt in chunk])
            last = states[torch.arange(len(chunk)), [len(prompt) - 1 for prompt in chunk]]
            scores.append(row_logits(model, last, ANSWERS))
    yes, no = torch.cat(scores).unbind(1)
    return yes - no


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_one_prefix_for_21_candidates(benchmark: BenchmarkFixture) -> None:
    llm = backbone.load(BACKBONE, home.resolve(), torch.device("cpu"), dtype=DTYPE)
    prefix.use(llm.model)
    generator = rng(1, "benchmark")
    beginning = generator.integers(3, 250, size=PREFIX).tolist()
    lengths = generator.integers(*SUFFIXES, size=CANDIDATES)
    prompts = [[*beginning, *generator.integers(3, 250, size=length).tolist()] for length in lengths]
    longest = max(map(len, prompts))
    a_s, b_s = [], []

    def before_each_round() -> None:  # they take turns, so that a busy machine slows all
        a_s.append(seconds(lambda: padded(llm.model, prompts[:RUN_A], longest, 3)) * CANDIDATES / RUN_A)
        b_s.append(seconds(lambda: padded(llm.model, prompts[:RUN_B], AUTHORS_TOKENS, 1)) * CANDIDATES / RUN_B)

    if llm.record.dtype == "float32":
        theirs = padded(llm.model, prompts, longest, 3)
        torch.testing.assert_close(yes_no.score(llm.model, prompts, ANSWERS), theirs, rtol=0, atol=1e-4)
    benchmark.pedantic(
        yes_no.score, args=(llm.model, prompts, ANSWERS), setup=before_each_round, rounds=ROUNDS, warmup_rounds=1
    )
    ours_s, tokens = benchmark.stats.stats.min, prefix.layout(prompts).tokens
    for name, others, computed in (
        ("A", min(a_s), CANDIDATES * longest),
        ("B", min(b_s), CANDIDATES * AUTHORS_TOKENS),
    ):
        ratio, faster = computed / tokens, others / ours_s
        benchmark.extra_info |= {f"{name}_token_ratio": ratio, f"{name}_time_ratio": faster}
        counted = f"{tokens} tokens in {1e3 * ours_s:.0f} ms, {name} {computed} in {1e3 * others:.0f} ms"
        print(f"\n{BACKBONE} {llm.record.dtype}: {counted}: {ratio:.2f}x and {faster:.2f}x, {faster / ratio:.0%}")
