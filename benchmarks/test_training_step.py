"""LRURec's training step beside the pad-everything reference, in one run, at the paper's two shapes.

python -m pytest benchmarks/test_training_step.py -s; LLMREC_PROFILE=cpu takes more rounds than the default, smoke.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from baselines.lrurec import LRURec, LRURecConfig
from benchmarks.machine import PROFILE
from benchmarks.padded_lrurec import PaddedLRURec
from harness.seeds import rng, seeded
from harness.training import MAX_GRADIENT_NORM

ROUNDS = {"smoke": 3}.get(PROFILE, 20)


@dataclass(frozen=True)
class Shape:
    """A batch as LlamaRec trains it; ``authors_s`` is what its published code takes on 2 cores, for context."""

    name: str
    windows: int
    length: int
    items: int
    mean: float
    authors_s: float

    def batch(self) -> Tensor:
        """Windows of geometric lengths whose inputs number ``mean`` on average, left-padded: [window, length + 1]."""
        generator = rng(1, "benchmark", self.name)
        lengths = np.minimum(1 + generator.geometric(1 / self.mean, self.windows), self.length)
        while abs(difference := round(self.mean * self.windows) - lengths.sum()):
            lengths[generator.integers(self.windows)] += np.sign(difference)
            lengths = lengths.clip(1, self.length)
        windows = np.zeros((self.windows, self.length + 1), dtype=np.int64)
        for row, length in zip(windows, lengths, strict=True):
            row[-length - 1 :] = generator.integers(1, self.items + 1, length + 1)
        return torch.from_numpy(windows)


SHAPES = (
    Shape("ML-100k", windows=16, length=200, items=3650, mean=116, authors_s=0.294),
    Shape("Beauty", windows=64, length=50, items=12086, mean=6.7, authors_s=0.768),
)


def stepper(model: nn.Module, loss: Callable[[], Tensor], fused: bool) -> Callable[[], None]:
    """One training step as a function."""
    optimizer = torch.optim.AdamW(model.parameters(), fused=fused)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()

    return step


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_lrurec_step(benchmark: BenchmarkFixture, shape: Shape) -> None:
    windows = shape.batch()
    cut = windows[:, (windows > 0).any(0).int().argmax() :]  # what training is given: nothing but the batch's longest
    still = LRURecConfig(dropout=0.0)
    with seeded(1, "init"):
        ours = LRURec(still, shape.items, shape.length)
    reference = PaddedLRURec(still, shape.items)
    reference.load_state_dict(ours.state_dict())
    assert ours.loss(cut, rng(1)).item() == pytest.approx(reference.loss(windows).item(), rel=1e-4)

    ours, reference = LRURec(LRURecConfig(), shape.items, shape.length), PaddedLRURec(LRURecConfig(), shape.items)
    reference.load_state_dict(ours.state_dict())
    padded_step = stepper(reference, lambda: reference.loss(windows), fused=False)
    reference_s = []

    def before_each_round() -> None:  # the two take turns, so that a busy machine slows both
        started = time.perf_counter()
        padded_step()
        reference_s.append(time.perf_counter() - started)

    step = stepper(ours, lambda: ours.loss(cut, rng(1)), fused=True)
    benchmark.pedantic(step, setup=before_each_round, rounds=ROUNDS, warmup_rounds=1)
    reference_ms, ours_ms = 1e3 * min(reference_s), 1e3 * benchmark.stats.stats.min
    benchmark.extra_info |= {
        "threads": torch.get_num_threads(),
        "reference_ms": reference_ms,
        "ratio": reference_ms / ours_ms,
        "authors_ms": 1e3 * shape.authors_s,
    }
    print(
        f"\n{shape.name}: {ours_ms:.0f} ms a step, padded reference {reference_ms:.0f} ms, "
        f"{reference_ms / ours_ms:.1f}x (the published code: {1e3 * shape.authors_s:.0f} ms on 2 other cores)"
    )
