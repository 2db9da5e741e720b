"""What a language model's work took: seconds, and joules of the GPU where they can be read."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from harness import card

Since = Callable[[], tuple[float, float | None]]


def start(device: torch.device) -> Since:
    """Wait for the device, and begin to measure.

    Returns:
        A function that waits for the device, and says the seconds and the joules since; None where they cannot be read.
    """
    _wait(device)
    started, energy = time.perf_counter(), card.energy_j()

    def since() -> tuple[float, float | None]:
        _wait(device)
        now = card.energy_j()
        return time.perf_counter() - started, None if energy is None or now is None else now - energy

    return since


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@dataclass
class Costs:
    """The sum of several pieces of work, by name; a sum of which a part is not known is left out of the notes."""

    sums: dict[str, float | None] = field(default_factory=dict)

    def add(self, **parts: float | None) -> None:
        """Add one piece's."""
        for name, part in parts.items():
            before = self.sums.get(name, 0.0)
            self.sums[name] = None if part is None or before is None else before + part

    def notes(self, what: str, count: int, each: str) -> dict[str, float | int | str]:
        """``<what>_<name>_per_<each>`` -> mean over ``count``."""
        known = {name: total for name, total in self.sums.items() if total is not None}
        return {f"{what}_{name}_per_{each}": total / max(1, count) for name, total in known.items()}
