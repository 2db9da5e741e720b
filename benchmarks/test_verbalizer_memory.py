"""Peak memory of ranking by the verbalizer, beside full-vocabulary logits and beside writing the ranked list.

Each in some fresh processes, for an interval of the ratio.

python -m pytest benchmarks/test_verbalizer_memory.py -s; LLMREC_PROFILE=cpu takes SmolLM2 and the number of tokens that
20 titles of ten tokens have; the default, smoke, a tiny backbone and fewer. Where there is a GPU, it is measured too.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.machine import PROFILE
from harness import home, peak_memory, stats
from harness.llm import backbone, verbalizer
from harness.llm.backbone import Backbone
from harness.seeds import rng

SMOKE = PROFILE == "smoke"
BACKBONE, LENGTH, NEW_TOKENS = ("tiny", 260, 40) if SMOKE else ("smollm2-135m", 600, 200)
CANDIDATES = 20
BATCHES = (1, 8)
PROCESSES = 5
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
CASES = [(way, batch) for batch in BATCHES for way in WAYS]


def peak_bytes(device: str) -> list[int]:
    """What ranking one batch adds at its peak to the memory that the loaded model holds, in bytes, for each case."""
    llm = backbone.load(BACKBONE, home.resolve(), torch.device(device), report=lambda line: None)
    found = []
    for way, batch in CASES:
        generator = rng(1, "benchmark")
        prompts = [generator.integers(3, 250, size=LENGTH).tolist() for _ in range(batch)]
        WAYS[way](llm, prompts)  # what is set up once is no part of it
        found.append(peak_memory.added_bytes(partial(WAYS[way], llm, prompts), torch.device(device)))
    return found


@pytest.mark.usefixtures("frees_returned")
@pytest.mark.skipif(not peak_memory.CLEAR_REFS.exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("device", DEVICES)
def test_memory_of_ranking(benchmark: BenchmarkFixture, device: str) -> None:
    backbone.fetch(BACKBONE, home.resolve())

    def measure() -> list[list[int]]:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn, max_tasks_per_child=1) as pool:
            return list(pool.map(peak_bytes, [device] * PROCESSES))

    peaks = np.array(benchmark.pedantic(measure, rounds=1))  # [process, case]
    of_case = dict(zip(CASES, peaks.T, strict=True))
    ratios = {(way, batch): of_case[way, batch] / of_case["verbalizer", batch] for way, batch in CASES}
    intervals = {case: stats.seeds_interval(each.tolist()) for case, each in ratios.items()}
    benchmark.extra_info |= {
        "backbone": BACKBONE,
        "device": device,
        "prompt_tokens": LENGTH,
        "new_tokens": NEW_TOKENS,
        "peak_bytes": {_name(case): each.tolist() for case, each in of_case.items()},
        "times_the_verbalizer": {_name(case): (ratios[case].mean(), *intervals[case]) for case in CASES},
    }
    print(
        f"\n{BACKBONE} on {device}, {LENGTH} tokens a prompt, {NEW_TOKENS} generated; MiB beyond the loaded model, "
        f"mean of {PROCESSES} processes, and times the verbalizer's with a 95 % t interval over them:"
    )
    for case, each in of_case.items():
        low, high = intervals[case]
        print(f"  {_name(case)}: {each.mean() / 2**20:.1f} MiB, {ratios[case].mean():.2f} [{low:.2f}, {high:.2f}]")


def _name(case: tuple[str, int]) -> str:
    way, batch = case
    return f"{way}, batch {batch}"
