import math

import pytest
import torch
from torch.nn import functional

from baselines.core import CORE, COREConfig
from baselines.packed import pack
from harness.seeds import rng, seeded
from tests.support import CPU

N_ITEMS, LENGTH = 10, 5


def build(**settings: float) -> CORE:
    with seeded(1, "init"):
        model = CORE(COREConfig(width=8, inner=12, **settings), N_ITEMS, LENGTH)
        model.embedding.weight.data.normal_()
        model.importance.weight.data.normal_()
    return model


def weights(model: CORE, history: torch.Tensor) -> torch.Tensor:
    """Of one session: shape [t, t]."""
    packed = pack(history, CPU)
    (found,) = model.weights(model.embedding(packed.items), packed)
    return found[0]


def test_a_score_is_the_cosine_of_weighted_items_to_an_item_over_the_temperature() -> None:
    model, history = build(temperature=0.5).eval(), torch.tensor([[3, 7, 3, 9]])
    vectors = model.embedding.weight
    last = weights(model, history)[-1]
    session = sum(weight * vectors[item] for weight, item in zip(last, history[0], strict=True))
    expected = [functional.cosine_similarity(session, vectors[item], dim=0) / 0.5 for item in range(1, N_ITEMS + 1)]
    torch.testing.assert_close(model.scores(history)[0, 1:], torch.stack(expected))
    assert model.scores(history).abs().max() <= 2


def test_weights_are_shares_of_the_items_so_far() -> None:
    model = build().eval()
    found = weights(model, torch.tensor([[3, 7, 3, 9]]))
    torch.testing.assert_close(found.sum(1), torch.ones(4))
    assert (found.triu(1) == 0).all()
    assert (found.tril() + torch.ones(4, 4).triu(1) > 0).all()
    assert len({round(weight, 5) for weight in found[3].tolist()}) == 4
    model.importance.weight.data.zero_()
    assert weights(model, torch.tensor([[3, 7, 3, 9]]))[3].tolist() == pytest.approx([1 / 4] * 4)


def test_a_session_of_one_item_is_that_item() -> None:
    scores = build().eval().scores(torch.tensor([[4]]))[0]
    assert int(scores[1:].argmax()) + 1 == 4
    assert scores[4].item() == pytest.approx(1 / 0.07, rel=1e-5)


def test_items_drop_out_where_sessions_meet_them_in_training_alone() -> None:
    model = build(dropout=0.5)
    with seeded(1, "dropout"):
        dropped = model.train().item_vectors
    assert ((dropped == 0).sum() / dropped.numel()).item() == pytest.approx(0.5, abs=0.2)
    assert (model.eval().item_vectors != 0).all()
    torch.testing.assert_close(model.item_vectors.norm(dim=1), torch.ones(N_ITEMS))


def test_items_scale_changes_no_loss_beyond_what_weighs_them() -> None:
    """A cosine knows no length: with equal weights, doubling one item's vector moves no score of the others."""
    model, history = build(dropout=0.0).eval(), torch.tensor([[3]])
    before = model.scores(history)
    model.embedding.weight.data[5] *= 2
    torch.testing.assert_close(model.scores(history), before)
    assert math.isfinite(model.loss(torch.tensor([[3, 5, 7]]), rng(1)).item())
