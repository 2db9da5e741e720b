"""How long a call takes: warmed up, timed again and again, every timing kept, and whether the machine was its own."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psutil
import torch

from harness import card, peak_memory
from harness.config import Strict

CARRIES = {50: 1, 90: 10, 99: 100}  # percentile: the fewest timings that can carry it
BUSY_SHARE = 0.1  # of the cores, in others' use
Loop = Callable[[Callable[[], None], int], object]


class Measured(Strict):
    """What was measured of one call.

    Attributes:
        timings_ms: every timing after the warm-up, in order, in milliseconds.
        peak_bytes: the most memory that the call added to what was in use before it; None where it cannot be read.
        energy_j: of the GPU, in joules a call; None where it cannot be read.
        busy: who else used the machine meanwhile; None: nobody did.
    """

    timings_ms: tuple[float, ...]
    peak_bytes: int | None = None
    energy_j: float | None = None
    busy: str | None = None

    @property
    def p50_ms(self) -> float:
        """Median time."""
        return float(np.median(self.timings_ms))

    def percentile_ms(self, percentile: int) -> float | None:
        """The 50th, 90th or 99th percentile, linear between timings; None where there are too few to carry it."""
        return percentiles(self.timings_ms)[percentile]


def percentiles(timings: Sequence[float]) -> dict[int, float | None]:
    """The 50th, 90th and 99th percentile in the timings' unit; None where they cannot carry it."""
    return {
        which: float(np.percentile(timings, which)) if len(timings) >= fewest else None
        for which, fewest in CARRIES.items()
    }


def plain_loop(call: Callable[[], None], repeats: int) -> None:
    """Call so many times."""
    for _ in range(repeats):
        call()


def measure(
    call: Callable[[], object],
    device: torch.device,
    repeats: int,
    loop: Loop = plain_loop,
    warm_up: Callable[[], object] | None = None,
) -> Measured:
    """Time a call, after one that sets up what is set up once, and one whose memory is read.

    On CUDA a timing is what lies between two events on the stream, the first recorded while the device is idle; the
    host waits for the device once a timing, after the second. On a CPU it is wall time.

    Args:
        call: what is timed.
        device: where it computes.
        repeats: how many timings.
        loop: runs what it is given ``repeats`` times; another clock, pytest-benchmark's, can stand around it.
        warm_up: what sets up what is set up once; None: the call itself.
    """
    timings_ms: list[float] = []

    def once() -> None:
        timings_ms.append(_time_ms(call, device))

    (warm_up or call)()
    peak_bytes = peak_memory.added_bytes(call, device)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    watch = Watch(device)
    loop(once, repeats)
    spent_j = watch.energy_j()
    return Measured(
        timings_ms=tuple(timings_ms),
        peak_bytes=peak_bytes,
        energy_j=None if spent_j is None else spent_j / len(timings_ms),
        busy=watch.busy(),
    )


def _time_ms(call: Callable[[], object], device: torch.device) -> float:
    if device.type != "cuda":
        started = time.perf_counter()
        call()
        return 1e3 * (time.perf_counter() - started)
    start, end = _event(), _event()
    start.record()
    call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end))


def _event() -> Any:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


class Watch:
    """The machine from now on: the energy it takes, and what others do with it."""

    def __init__(self, device: torch.device):
        self.device = device
        self.started, self.at_start_j = time.perf_counter(), card.energy_j() if device.type == "cuda" else None
        self.used_s, self.own_s = _used_s(), _own_s()

    def energy_j(self) -> float | None:
        """Joules that the GPU has taken; None where they cannot be read, or on a CPU."""
        now = card.energy_j() if self.at_start_j is not None else None
        return None if now is None or self.at_start_j is None else now - self.at_start_j

    def busy(self) -> str | None:
        """What others did with the machine, if it is worth a note: their share of the cores, processes on the card."""
        seconds = max(time.perf_counter() - self.started, 1e-3)
        others = (_used_s() - self.used_s - (_own_s() - self.own_s)) / seconds / (os.cpu_count() or 1)
        notes = [f"other processes used {others:.0%} of the cores"] if others > BUSY_SHARE else []
        if self.device.type == "cuda" and (beside := card.other_processes()):
            notes.append(f"{beside} other processes on the card")
        return "; ".join(notes) or None


def _used_s() -> float:
    """Seconds that all cores together have worked."""
    cores = psutil.cpu_times()
    return float(sum(cores) - cores.idle - getattr(cores, "iowait", 0) - getattr(cores, "guest", 0))


def _own_s() -> float:
    """Seconds of it for this process."""
    own = psutil.Process().cpu_times()
    return float(own.user + own.system)
