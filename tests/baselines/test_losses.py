import math

import pytest
import torch
from torch.nn import functional

from baselines import losses
from baselines.recurrence import linear_recurrence
from harness.seeds import seeded


@pytest.mark.parametrize(("positions", "chunk"), [(1, 2**20), (7, 2**20), (7, 20), (7, 1)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear_cross_entropy_is_torchs(
    positions: int, chunk: int, with_bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "CHUNK", chunk)
    with seeded(1, "case"):
        x, weight, bias = (torch.randn(*size, requires_grad=True) for size in ((positions, 4), (9, 4), (9,)))
        target = torch.randint(9, (positions,))
    ours = losses.linear_cross_entropy(x, weight, bias if with_bias else None, target)
    theirs = functional.cross_entropy(functional.linear(x, weight, bias if with_bias else None), target)
    parameters = [x, weight, bias] if with_bias else [x, weight]
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(3 * ours, parameters), torch.autograd.grad(3 * theirs, parameters))


def test_linear_cross_entropy_survives_large_logits() -> None:
    features = torch.tensor([[1e4]])
    loss = losses.linear_cross_entropy(features, torch.tensor([[1.0], [0.0]]), None, torch.tensor([1]))
    assert loss.item() == pytest.approx(1e4)
    close = losses.linear_cross_entropy(features, torch.tensor([[1.0], [1.0]]), None, torch.tensor([1]))
    assert close.item() == pytest.approx(math.log(2))


def test_binary_cross_entropy_by_hand() -> None:
    positive, negative = torch.tensor([math.log(3)]), torch.tensor([[0.0, math.log(3)]])
    expected = -math.log(0.75) - math.log(0.5) - math.log(0.25)
    assert losses.binary_cross_entropy(positive, negative).item() == pytest.approx(expected)
    expected = -0.5 * math.log(0.75) - math.log(0.5) - math.log(0.25)
    assert losses.binary_cross_entropy(positive, negative, beta=0.5).item() == pytest.approx(expected)


def test_beta_of_gbce_by_hand() -> None:
    assert losses.gbce_beta(1, 101, calibration=0.0) == pytest.approx(1)
    assert losses.gbce_beta(1, 101, calibration=1.0) == pytest.approx(0.01)
    assert losses.gbce_beta(50, 101, calibration=0.75) == pytest.approx(0.5 * (0.75 * (1 - 2) + 2))


def test_sampled_softmax_by_hand() -> None:
    positive, negative = torch.tensor([math.log(2)]), torch.tensor([[0.0, math.log(5)]])
    assert losses.sampled_softmax(positive, negative).item() == pytest.approx(-math.log(2 / 8))


def test_recurrence_by_hand() -> None:
    # two sequences: 1, 1, 1 and 2; packed time first
    drive = torch.tensor([1, 2, 1, 1], dtype=torch.cfloat)[:, None]
    states = linear_recurrence(drive, torch.tensor([0.5j]), [2, 1, 1])
    assert states.squeeze(1).tolist() == [1, 2, 1 + 0.5j, 0.75 + 0.5j]


@pytest.mark.parametrize("sizes", [[1], [3], [3, 2, 2, 1], [1, 1, 1]])
def test_recurrence_has_the_right_gradient(sizes: list[int]) -> None:
    with seeded(1, "case"):
        drive = torch.randn(sum(sizes), 2, dtype=torch.cdouble, requires_grad=True)
        transition = torch.randn(2, dtype=torch.cdouble, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, a: linear_recurrence(x, a, sizes), (drive, transition))
