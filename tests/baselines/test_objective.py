import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

import baselines  # noqa: F401  registers the systems
from baselines import losses
from baselines.bert4rec import cloze
from baselines.encoder import SequenceModel
from baselines.objective import negatives
from harness.seeds import rng, seeded
from harness.system import find

PADDED = torch.tensor([[0, 0, 5, 9], [1, 2, 3, 4], [0, 6, 7, 8]])
N_ITEMS = 50
CAUSAL = ("core", "gru4rec", "lrurec", "narm", "sasrec")
KINDS = ("cross-entropy", "sampled-softmax", "bce", "gbce")


def build(name: str, **settings: Any) -> SequenceModel:
    """A seeded model without dropout whose items' scores differ, biases included."""
    spec = find(name)
    config = spec.config(width=8, dropout=0.0, **settings)
    with seeded(1, "init"):
        model = spec.build(config).build(config, N_ITEMS, 4)
        for name, parameter in model.named_parameters():
            if name in ("bias", "embedding.weight"):
                parameter.data.normal_()
    return model


@given(st.integers(0, 10**6))
def test_negatives_are_items_outside_the_window(seed: int) -> None:
    windows = PADDED.numpy()
    drawn = negatives(windows, 10, (2, 4), rng(seed, "loss"))
    assert drawn.shape == (3, 2, 4)
    assert drawn.min() >= 1
    assert drawn.max() <= 10
    for row, items in zip(windows, drawn, strict=True):
        assert not set(items.flatten()) & set(row)


def test_negatives_are_uniform() -> None:
    drawn = negatives(np.array([[0, 1, 2]]), 6, (2, 5000), rng(1, "loss"))
    share = np.bincount(drawn.flatten(), minlength=7)[3:] / drawn.size
    assert share == pytest.approx([0.25] * 4, abs=0.02)


def test_a_window_of_the_whole_catalogue_still_has_negatives() -> None:
    assert set(negatives(np.array([[1, 2, 3]]), 3, (2, 50), rng(1, "loss")).flatten()) == {1, 2, 3}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*CAUSAL, "bert4rec"])
def test_an_untrained_system_loses_what_guessing_does(name: str, kind: str) -> None:
    model = build(name, loss=kind, negatives=3)
    model.embedding.weight.data.zero_()
    if model.bias is not None:
        model.bias.data.zero_()
    beta = 3 / 49 * (0.75 * (1 - 49 / 3) + 49 / 3)
    by_guessing = {
        "bce": 4 * math.log(2),
        "gbce": (3 + beta) * math.log(2),
        "sampled-softmax": math.log(4),
        "cross-entropy": math.log(50),
    }
    assert model.loss(PADDED, rng(1, "loss")).item() == pytest.approx(by_guessing[kind], rel=1e-5)


def expected_loss(kind: str, scores: torch.Tensor, target: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """The loss from the scores of all items, shape [query, V + 1], at the targets and at the negatives drawn."""
    positive, negative = scores.gather(1, target[:, None])[:, 0], scores.gather(1, drawn)
    return {
        "cross-entropy": functional.cross_entropy(scores[:, 1:], target - 1),
        "sampled-softmax": losses.sampled_softmax(positive, negative),
        "bce": losses.binary_cross_entropy(positive, negative),
        "gbce": losses.binary_cross_entropy(positive, negative, losses.gbce_beta(3, N_ITEMS, 0.75)),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CAUSAL)
def test_the_loss_of_the_last_target_is_that_of_the_scores(name: str, kind: str) -> None:
    model = build(name, loss=kind, negatives=3, targets="last")
    drawn = torch.from_numpy(negatives(PADDED.numpy(), N_ITEMS, (3, 3), rng(1))[:, -1])
    expected = expected_loss(kind, model.scores(PADDED[:, :-1]), PADDED[:, -1], drawn)
    torch.testing.assert_close(model.loss(PADDED, rng(1)), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["core", "gru4rec", "lrurec", "narm"])  # SASRec counts positions from the window's end
def test_the_loss_of_all_targets_is_the_mean_over_every_prefix(name: str, kind: str) -> None:
    model = build(name, loss=kind, negatives=3)
    drawn = torch.from_numpy(negatives(PADDED.numpy(), N_ITEMS, (3, 3), rng(1)))
    asked = [(row, end) for row in range(3) for end in range(1, 4) if PADDED[row, end - 1] > 0]
    each = [
        expected_loss(kind, model.scores(PADDED[[row], :end]), PADDED[[row], end], drawn[[row], end - 1])
        for row, end in asked
    ]
    assert len(each) == 1 + 3 + 2
    torch.testing.assert_close(model.loss(PADDED, rng(1)), torch.stack(each).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_a_masked_item_is_that_of_the_scores(kind: str) -> None:
    model = build("bert4rec", loss=kind, negatives=3, mask_last=1.0)
    random = rng(1)
    cloze(PADDED.numpy(), 0.2, 1.0, random)
    drawn = torch.from_numpy(negatives(PADDED.numpy(), N_ITEMS, (4, 3), random)[:, -1])
    expected = expected_loss(kind, model.scores(PADDED[:, :-1]), PADDED[:, -1], drawn)
    torch.testing.assert_close(model.loss(PADDED, rng(1)), expected)
