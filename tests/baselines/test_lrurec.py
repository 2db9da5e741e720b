import math

import pytest
import torch

from baselines.lrurec import LRURec, LRURecConfig, RecurrentUnit
from benchmarks.padded_lrurec import PaddedLRURec
from harness.seeds import rng, seeded
from harness.system import as_padded
from tests.worlds import dataset, random_histories


@pytest.mark.parametrize("longest", [5, 9, 20])
def test_same_loss_and_gradients_as_the_padded_reference(longest: int) -> None:
    settings = LRURecConfig(width=8, state=12, dropout=0.0)
    with seeded(1, "init"):
        ours = LRURec(settings, 40, 20)
    reference = PaddedLRURec(settings, 40)
    reference.load_state_dict(ours.state_dict())
    windows = as_padded([*dataset(random_histories(7, 40, longest=longest)).sequences], 21)
    full = torch.nn.functional.pad(windows, (21 - windows.shape[1], 0))
    loss, expected = ours.loss(windows, rng(1)), reference.loss(full)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    gradients = dict(reference.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name].grad, msg=name)


def test_the_ring_and_the_scale_of_the_input() -> None:
    with seeded(1, "init"):
        unit = RecurrentUnit(4, 500, 0.0)
    radius = (-unit.log_nu.exp()).exp()
    assert radius.min() >= 0.8
    assert radius.max() <= 0.99
    torch.testing.assert_close(unit.log_gamma.exp() ** 2 + radius**2, torch.ones(500))
    angle = unit.log_theta.exp()
    assert angle.min() >= 0
    assert angle.max() <= 2 * math.pi


def test_a_unit_is_the_sum_that_defines_it() -> None:
    with seeded(1, "init"):
        unit = RecurrentUnit(3, 2, 0.0)
        x = torch.randn(4, 3)
    lam = torch.polar((-unit.log_nu.exp()).exp(), unit.log_theta.exp())
    drive = torch.view_as_complex(unit.drive(x).view(4, 2, 2)) * unit.log_gamma.exp()
    states = torch.stack([sum(lam ** (t - s) * drive[s] for s in range(t + 1)) for t in range(4)])
    expected = unit.norm(x + unit.read(torch.view_as_real(states).flatten(1)))
    torch.testing.assert_close(unit(x, [1, 1, 1, 1]), expected)
