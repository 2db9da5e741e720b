"""Every random number of a run comes from a generator with a name, derived from the run's seed."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed that depends on the run's seed and on the generator's name."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """The named NumPy generator, e.g. ``rng(seed, "negatives", epoch)``."""
    return np.random.default_rng(derive(seed, *names))


@contextmanager
def seeded(seed: int, *names: str | int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Run torch code that only knows the global generator (initialisers, dropout) under a named one.

    The global generators are put back afterwards, so the block neither reads nor changes them.
    """
    device = torch.device(device)
    cuda = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(derive(seed, *names))
        yield
