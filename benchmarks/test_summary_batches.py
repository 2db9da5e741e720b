"""The share of summaries that change with the batch they are written in, at the precision that runs use.

In float32 none of the tiny backbone's does (tests/llm/test_summarizer.py); in bfloat16 another batch rounds otherwise,
and a sampled text goes another way from there: of SmolLM2's, 18 of 32 do (two cores, torch 2.13).
python -m pytest benchmarks/test_summary_batches.py -s; LLMREC_PROFILE=cpu takes SmolLM2.
"""

from collections.abc import Callable

import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.machine import PROFILE
from harness import home
from harness.llm import backbone, item_text, wording
from harness.llm.backbone import Backbone
from harness.llm.generation import generate
from harness.llm.summarizer import SummarizerConfig
from harness.llm.wording import Wording
from harness.seeds import rng

SMOKE = PROFILE == "smoke"
BACKBONE, HISTORIES, TOKENS = ("tiny", 4, 8) if SMOKE else ("smollm2-135m", 32, 48)
TEMPERATURE = 0.7  # with 48 tokens, the profile's cpu
PAPER = SummarizerConfig()


def prompts_about(titles: list[str], llm: Backbone) -> list[list[int]]:
    """What the summariser is asked about the first block of each history, the titles drawn at random."""
    words, drawn = wording.load(Wording, "trsr_movies", "any"), rng(1, "benchmark")
    blocks = [drawn.choice(len(titles), PAPER.block, replace=False).tolist() for _ in range(HISTORIES)]
    texts = [[item_text.join([(item_text.TITLE, titles[item])]) for item in block] for block in blocks]
    return [llm.tokenizer(words.summarize.format(items=words.separator.join(own)))["input_ids"] for own in texts]


def written(llm: Backbone, prompts: list[list[int]], batch_size: int) -> list[list[int]]:
    noise = [rng(1, "summary", row) for row in range(len(prompts))]
    return generate(llm, prompts, max_new_tokens=TOKENS, noise=noise, temperature=TEMPERATURE, batch_size=batch_size)


def changed(write: Callable[[int], list[list[int]]]) -> float:
    """The share of texts that differ between batches of one and those of a run."""
    pairs = list(zip(write(1), write(PAPER.summary_batch), strict=True))
    return sum(one != other for one, other in pairs) / len(pairs)


def test_what_the_batch_changes(benchmark: BenchmarkFixture, titles: list[str]) -> None:
    llm = backbone.load(BACKBONE, home.resolve(), torch.device("cpu"), dtype="bfloat16")
    prompts = prompts_about(titles, llm)
    share = benchmark.pedantic(changed, args=(lambda size: written(llm, prompts, size),), rounds=1)
    benchmark.extra_info |= {"backbone": BACKBONE, "share_changed": share}
    print(
        f"\n{BACKBONE} bfloat16: {share:.1%} of {HISTORIES} summaries of at most {TOKENS} tokens change with the batch "
        f"(1 and {PAPER.summary_batch})"
    )
