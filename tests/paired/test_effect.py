import numpy as np
import pytest

from harness.paired.differences import differences
from harness.paired.effect import effects
from tests.worlds import answered


def test_effects_by_hand() -> None:
    (size,) = effects(differences([answered([1, 1, 1, 9])], [answered([2, 2, 1, 1])], [("Recall", 1)]))
    assert (size.wins, size.ties, size.losses) == (2, 1, 1)
    assert size.superiority == (2 + 0.5) / 4
    assert size.d == pytest.approx(0.25 / np.std([1, 1, 0, -1], ddof=1))
