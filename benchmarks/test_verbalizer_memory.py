"""Peak memory of ranking by the verbalizer, beside full-vocabulary logits and beside writing the ranked list.

python -m pytest benchmarks/test_verbalizer_memory.py -s; LLMREC_PROFILE=cpu takes SmolLM2 and the number of tokens that
20 titles of ten tokens have; the default, smoke, a tiny backbone and fewer. Where there is a GPU, it is measured too.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.machine import PROFILE
from harness import home, peak_memory
from harness.llm import backbone, verbalizer
from harness.llm.backbone import Backbone
from harness.seeds import rng

SMOKE = PROFILE == "smoke"
BACKBONE, LENGTH, NEW_TOKENS = ("tiny", 260, 40) if SMOKE else ("smollm2-135m", 600, 200)
CANDIDATES = 20
BATCHES = (1, 8)
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
Prompts = list[list[int]]


def by_verbalizer(llm: Backbone, prompts: Prompts) -> None:
    """20 rows of the head, at the last position only."""
    verbalizer.score(llm, prompts, list(range(CANDIDATES)), len(prompts))


def by_full_logits(llm: Backbone, prompts: Prompts) -> None:
    """The same forward pass, the whole vocabulary's logits at every position."""
    ids = torch.tensor(prompts, device=llm.device)
    with torch.inference_mode():
        llm.model(input_ids=ids, use_cache=False).logits[:, -1, :CANDIDATES].float().cpu()


def by_generation(llm: Backbone, prompts: Prompts) -> None:
    """Greedy writing with a cache of keys and values, to the end of the list."""
    ids = torch.tensor(prompts, device=llm.device)
    written = llm.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=NEW_TOKENS,
        min_new_tokens=NEW_TOKENS,
        do_sample=False,
        pad_token_id=0,
    )
    assert written.shape[1] == ids.shape[1] + NEW_TOKENS


WAYS: dict[str, Callable[[Backbone, Prompts], None]] = {
    "verbalizer": by_verbalizer,
    "full logits": by_full_logits,
    "generation": by_generation,
}


def peak_bytes(device: str, way: str, batch: int) -> int:
    """What ranking one batch adds to the memory that the loaded model holds, at its peak."""
    llm = backbone.load(BACKBONE, home.resolve(), torch.device(device), report=lambda line: None)
    generator = rng(1, "benchmark")
    prompts = [generator.integers(3, 250, size=LENGTH).tolist() for _ in range(batch)]
    WAYS[way](llm, prompts)  # what is set up once is no part of it
    added = peak_memory.added_bytes(lambda: WAYS[way](llm, prompts), torch.device(device))
    assert added is not None
    return added


@pytest.mark.skipif(not peak_memory.CLEAR_REFS.exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("device", DEVICES)
def test_memory_of_ranking(benchmark: BenchmarkFixture, device: str) -> None:
    backbone.fetch(BACKBONE, home.resolve())
    cases = [(way, batch) for batch in BATCHES for way in WAYS]

    def measure() -> list[int]:
        ways, batches = zip(*cases, strict=True)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(peak_bytes, [device] * len(cases), ways, batches))

    peaks = dict(zip(cases, benchmark.pedantic(measure, rounds=1), strict=True))
    benchmark.extra_info |= {
        "backbone": BACKBONE,
        "device": device,
        "prompt_tokens": LENGTH,
        "new_tokens": NEW_TOKENS,
        "peak_bytes": {f"{way}, batch {batch}": peak for (way, batch), peak in peaks.items()},
    }
    print(f"\n{BACKBONE} on {device}, {LENGTH} tokens a prompt, {NEW_TOKENS} generated; MiB beyond the loaded model:")
    for batch in BATCHES:
        print(f"  batch {batch}: " + ", ".join(f"{way} {peaks[way, batch] / 2**20:.1f}" for way in WAYS))
