"""The verbalizer's scores (20 rows of the head, last position only) beside the full vocabulary's logits, in one run.

python -m pytest benchmarks/test_verbalizer.py -s; LLMREC_PROFILE=cpu takes SmolLM2 and more rounds than the default,
smoke, whose tiny backbone has a vocabulary too small to show much.
"""

import time
from collections.abc import Sequence

import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.machine import PROFILE
from harness import home
from harness.llm import backbone, labels, verbalizer
from harness.seeds import rng

SMOKE = PROFILE == "smoke"
BACKBONE, ROUNDS, LENGTHS = ("tiny", 5, (200, 260)) if SMOKE else ("smollm2-135m", 10, (560, 640))
CANDIDATES = 20


def full_logits(model: torch.nn.Module, prompts: list[list[int]], letters: Sequence[int]) -> Tensor:
    """Scores by way of logits at every position, over the whole vocabulary, of a left-padded batch."""
    longest = max(map(len, prompts))
    padding = [longest - len(prompt) for prompt in prompts]
    ids = torch.tensor([[0] * pad + prompt for pad, prompt in zip(padding, prompts, strict=True)])
    mask = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in padding])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1, list(letters)]


def test_scores_in_one_forward(benchmark: BenchmarkFixture) -> None:
    llm = backbone.load(BACKBONE, home.resolve(), torch.device("cpu"), dtype="float32")
    letters = labels.find(llm.tokenizer, "### Response:\n").tokens[:CANDIDATES]
    generator = rng(1, "benchmark")
    prompts = [generator.integers(3, 250, size=length).tolist() for length in LENGTHS]
    reference_s = []

    def before_each_round() -> None:  # the two take turns, so that a busy machine slows both
        started = time.perf_counter()
        full_logits(llm.model, prompts, letters)
        reference_s.append(time.perf_counter() - started)

    expected = full_logits(llm.model, prompts, letters)
    torch.testing.assert_close(verbalizer.score(llm, prompts, letters, len(prompts)), expected, rtol=1e-3, atol=1e-3)
    benchmark.pedantic(
        verbalizer.score,
        args=(llm, prompts, letters, len(prompts)),
        setup=before_each_round,
        rounds=ROUNDS,
        warmup_rounds=1,
    )
    full_ms, ours_ms = 1e3 * min(reference_s), 1e3 * benchmark.stats.stats.min
    benchmark.extra_info |= {"backbone": BACKBONE, "full_logits_ms": full_ms, "ratio": full_ms / ours_ms}
    times = f"{ours_ms:.0f} ms for {len(prompts)} prompts, full logits {full_ms:.0f} ms"
    print(f"\n{BACKBONE}: {times}, {full_ms / ours_ms:.2f}x")
