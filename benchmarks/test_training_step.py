"""Training steps beside other ways to take them, in one run, at the paper's two shapes.

python -m pytest benchmarks/test_training_step.py -s; LLMREC_PROFILE=cpu takes more rounds than the default, smoke.
"""

from typing import Any
from unittest.mock import patch

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import baselines  # noqa: F401  registers the systems
from baselines import packed
from baselines.encoder import SequenceModel
from baselines.gru import torchs_states
from baselines.lrurec import LRURec, LRURecConfig
from benchmarks.padded_lrurec import PaddedLRURec
from benchmarks.steps import SHAPES, Shape, cut, stepper, take_turns
from harness.seeds import rng, seeded
from harness.system import find


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_lrurec_step(benchmark: BenchmarkFixture, shape: Shape) -> None:
    windows = shape.batch()
    given = cut(windows)
    still = LRURecConfig(dropout=0.0)
    with seeded(1, "init"):
        ours = LRURec(still, shape.items, shape.length)
    reference = PaddedLRURec(still, shape.items)
    reference.load_state_dict(ours.state_dict())
    assert ours.loss(given, rng(1)).item() == pytest.approx(reference.loss(windows).item(), rel=1e-4)

    ours, reference = LRURec(LRURecConfig(), shape.items, shape.length), PaddedLRURec(LRURecConfig(), shape.items)
    reference.load_state_dict(ours.state_dict())
    step = stepper(ours, lambda: ours.loss(given, rng(1)), fused=True)
    padded_step = stepper(reference, lambda: reference.loss(windows), fused=False)
    ours_ms, reference_ms = take_turns(benchmark, step, padded_step)
    benchmark.extra_info["authors_ms"] = 1e3 * shape.authors_s
    print(
        f"\n{shape.name}: {ours_ms:.0f} ms a step, padded reference {reference_ms:.0f} ms, "
        f"{reference_ms / ours_ms:.1f}x (the published code: {1e3 * shape.authors_s:.0f} ms on 2 other cores)"
    )


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize(
    ("system", "other", "means"),
    [
        ("sasrec", patch.dict(packed.GROUPS, cpu=1), "one group"),
        ("bert4rec", patch.dict(packed.GROUPS, cpu=1), "one group"),
        ("narm", patch("baselines.narm.gru_states", torchs_states), "torch's GRU"),
    ],
    ids=["sasrec", "bert4rec", "narm"],
)
def test_step_on_a_cpu(benchmark: BenchmarkFixture, shape: Shape, system: str, other: Any, means: str) -> None:
    spec, windows = find(system), cut(shape.batch())

    def build(**settings: float) -> SequenceModel:
        config = spec.config(**settings)
        with seeded(1, "init"):
            return spec.build(config).build(config, shape.items, shape.length)

    still = build(dropout=0.0)
    with other:
        expected = still.loss(windows, rng(1)).item()
    assert still.loss(windows, rng(1)).item() == pytest.approx(expected, rel=1e-4)

    ours, reference = build(), build()
    reference_step = stepper(reference, lambda: reference.loss(windows, rng(1)), fused=True)

    def other_step() -> None:
        with other:
            reference_step()

    ours_ms, reference_ms = take_turns(
        benchmark, stepper(ours, lambda: ours.loss(windows, rng(1)), fused=True), other_step
    )
    print(
        f"\n{system}, {shape.name}: {ours_ms:.0f} ms a step, with {means} {reference_ms:.0f} ms, "
        f"{reference_ms / ours_ms:.1f}x"
    )
