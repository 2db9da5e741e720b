import pytest
import torch

from harness.dropout import Dropout
from harness.seeds import seeded


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_drops_its_share(p: float) -> None:
    x = torch.ones(501, 401)
    with seeded(1, "dropout"):
        y = Dropout(p)(x)
    assert (y == 0).double().mean().item() == pytest.approx(p, abs=0.005)
    assert y[y > 0].unique().tolist() == pytest.approx([1 / (1 - p)], rel=1e-4)


def test_dropout_passes_gradients_where_it_passes_values_and_is_off_in_evaluation() -> None:
    x = torch.ones(7, 3, requires_grad=True)
    layer = Dropout(0.5)
    y = layer(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
    assert layer.eval()(x) is x
    assert Dropout(0.0)(x) is x
