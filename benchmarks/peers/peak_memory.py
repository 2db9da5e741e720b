"""The peak of a process's resident memory while something runs. Needs nothing but Linux."""

from collections.abc import Callable
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): resets the "high water mark" to the present resident size


def peak_added(work: Callable[[], None]) -> int:
    """Peak resident memory during ``work`` less the resident memory before it, in bytes."""
    CLEAR_REFS.write_text(RESET_PEAK)
    before = _bytes("VmRSS")
    work()
    return _bytes("VmHWM") - before


def _bytes(key: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024
