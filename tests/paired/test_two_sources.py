import numpy as np
import pytest

from harness.paired.two_sources import two_sources
from harness.seeds import rng


def test_two_sources_hold_their_level_when_users_and_seeds_both_vary() -> None:
    generator = rng(9, "crossed")
    rejected = []
    for _ in range(1500):
        users = generator.normal(0, 1, (2, 80, 1)) * 0.3
        runs = users + generator.normal(0, 0.1, (2, 1, 3)) + generator.normal(0, 0.3, (2, 80, 3))
        per_user = runs[0].mean(1) - runs[1].mean(1)
        a, b = (runs[side].mean(0).tolist() for side in (0, 1))
        rejected.append(two_sources(per_user.mean(), per_user.std(ddof=1), 80, a, b).p < 0.05)
    assert 0.005 < np.mean(rejected) <= 0.065


def test_two_sources_need_two_seeds_a_side() -> None:
    assert two_sources(0.1, 0.2, 50, [0.3], [0.1, 0.2]) is None
    found = two_sources(0.1, 0.2, 50, [0.3, 0.32], [0.2, 0.22])
    assert found.se_users == pytest.approx(0.2 / 50**0.5)
    assert found.se_seeds == pytest.approx(np.sqrt(0.0002 / 2 + 0.0002 / 2))
    assert found.low < 0.1 < found.high
    assert two_sources(0.0, 0.0, 50, [0.3, 0.3], [0.3, 0.3]).p == 1
    assert two_sources(0.1, 0.0, 50, [0.1 + 0.2] * 3, [0.1] * 3) is None


@pytest.mark.parametrize("in_pairs", [True, False])
def test_a_seed_effect_that_two_systems_share_cancels_where_their_runs_are_paired(in_pairs: bool) -> None:
    """The difference of the rankers has no seed effect at all; held apart, the test would nearly never reject."""
    generator = rng(9, "shared")
    rejected = []
    for _ in range(1500):
        users = generator.normal(0, 0.3, (2, 80, 1))
        runs = users + generator.normal(0, 0.1, (1, 1, 3)) + generator.normal(0, 0.3, (2, 80, 3))
        per_user = runs[0].mean(1) - runs[1].mean(1)
        a, b = (runs[side].mean(0).tolist() for side in (0, 1))
        rejected.append(two_sources(per_user.mean(), per_user.std(ddof=1), 80, a, b, in_pairs=in_pairs).p < 0.05)
    assert (0.02 < np.mean(rejected) <= 0.065) if in_pairs else (np.mean(rejected) < 0.02)
