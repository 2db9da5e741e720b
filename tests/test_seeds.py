import numpy as np
import torch

from harness.seeds import derive, rng, seeded


def test_derived_seeds_are_fixed_for_ever() -> None:
    assert derive(42, "negatives", 3) == 4299509538956463170
    assert rng(42, "negatives").integers(1000, size=3).tolist() == [16, 877, 480]


def test_names_and_seeds_give_different_streams() -> None:
    streams = {
        tuple(rng(seed, *names).integers(2**40, size=4)) for seed in (1, 2) for names in (("a",), ("b",), ("a", 1))
    }
    assert len(streams) == 6


def test_the_global_generators_are_neither_read_nor_changed() -> None:
    torch.manual_seed(5)
    with seeded(42, "init"):
        first = torch.rand(3)
    after = torch.rand(3)
    torch.manual_seed(6)
    with seeded(42, "init"):
        assert torch.equal(torch.rand(3), first)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), after)


def test_generators_repeat() -> None:
    assert np.array_equal(rng(1, "x").random(4), rng(1, "x").random(4))
