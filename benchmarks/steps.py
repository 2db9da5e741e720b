"""Training steps to be timed beside another way to take them: batches of the paper's shapes, and taking turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from benchmarks.machine import PROFILE
from harness.seeds import rng
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


def cut(windows: Tensor) -> Tensor:
    """What training is given of a batch: no column before its longest window's first item."""
    return windows[:, int((windows > 0).any(0).int().argmax()) :]


def stepper(model: nn.Module, loss: Callable[[], Tensor], fused: bool) -> Callable[[], None]:
    """One training step as a function."""
    optimizer = torch.optim.AdamW(model.parameters(), fused=fused)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()

    return step


def take_turns(
    benchmark: BenchmarkFixture, ours: Callable[[], None], reference: Callable[[], None]
) -> tuple[float, float]:
    """Milliseconds of the fastest step of both, which take turns, so that a busy machine slows both."""
    reference_s = []

    def before_each_round() -> None:
        started = time.perf_counter()
        reference()
        reference_s.append(time.perf_counter() - started)

    benchmark.pedantic(ours, setup=before_each_round, rounds=ROUNDS, warmup_rounds=1)
    reference_ms, ours_ms = 1e3 * min(reference_s), 1e3 * benchmark.stats.stats.min
    benchmark.extra_info |= {
        "threads": torch.get_num_threads(),
        "reference_ms": reference_ms,
        "ratio": reference_ms / ours_ms,
    }
    return ours_ms, reference_ms
