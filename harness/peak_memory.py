"""The most memory that a call needs beyond what is there before it."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import torch

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): the high-water mark falls to the present resident size


def added_bytes(call: Callable[[], object], device: torch.device) -> int | None:
    """Run a call; the peak of the device's memory during it less what was in use before.

    On CUDA it is torch's own count. On Linux it is the process's resident memory, once the allocator has given back
    what it keeps of earlier calls. None elsewhere.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    if not CLEAR_REFS.exists():
        call()
        return None
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc's
        trim(0)
    CLEAR_REFS.write_text(RESET_PEAK)
    before = resident_bytes("VmRSS")
    call()
    return resident_bytes("VmHWM") - before


def resident_bytes(field: str) -> int:
    """A line of the process's status: ``VmRSS`` is what it holds, ``VmHWM`` the most that it held."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
