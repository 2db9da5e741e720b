"""What a run ran on: versions, commit, hardware."""

import os
import platform
import resource
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
import torch

from harness import card, peak_memory
from harness.errors import InputError

PACKAGES = (
    *("torch", "triton", "transformers", "vllm", "peft", "bitsandbytes"),
    *("numpy", "scipy", "polars"),
)


def check_device(name: str | None) -> str:
    """The device to run on: the named one, else ``cuda`` where there is a usable GPU, else ``cpu``.

    Raises:
        InputError: neither ``cpu`` nor ``cuda``, or no GPU that torch can use.
    """
    able = torch.cuda.is_available()
    if name is None:
        return "cuda" if able else "cpu"
    if name not in ("cpu", "cuda"):
        raise InputError(f"--device {name}: expected cpu or cuda")
    if name == "cuda" and not able:
        raise InputError("--device cuda: torch finds no GPU that it can use here; leave the option out, or name cpu")
    return name


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a number; absent ones are left out."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, "llmrec-harness"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, str | int | float]:
    """Processor, cores, threads, memory, and the GPU with its driver and clocks where there is one."""
    facts: dict[str, str | int | float] = {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "memory_bytes": psutil.virtual_memory().total,
    }
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        facts |= {"gpu": gpu.name, "gpu_memory_bytes": gpu.total_memory, "cuda": torch.version.cuda or "unknown"}
        facts |= card.facts()
    return facts


def machine() -> str:
    """What of this machine can change a number, in one line."""
    return machine_of(hardware(), versions())


def machine_of(facts: Mapping[str, str | int | float], found: Mapping[str, str]) -> str:
    """The same of what :func:`hardware` and :func:`versions` once found: processors, threads, packages."""
    processors = [str(facts[key]) for key in ("gpu", "processor", "cpu_capability") if key in facts]
    packages = [f"{package} {found[package]}" for package in PACKAGES if package in found]
    return ", ".join([*processors, f"{facts.get('threads', 'unknown')} threads", *packages])


def others(machines: Iterable[str]) -> tuple[str, ...]:
    """Those that are not this one, each once, in their order."""
    here = machine()
    return tuple(dict.fromkeys(name for name in machines if name != here))


def processor() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_bytes() -> int:
    """Most resident memory that this process has had, since ``peak_memory.added_bytes`` where that was called.

    Elsewhere than on Linux its parent's may count with it.
    """
    if peak_memory.CLEAR_REFS.exists():
        return peak_memory.resident_bytes("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def peak_device_memory_bytes() -> int | None:
    """Most memory that torch has held on the GPU; None without one."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def use_threads(jobs: int = 1) -> None:
    """Let torch use this process's share of the cores it may run on, or ``OMP_NUM_THREADS`` where that is set."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    torch.set_num_threads(int(wanted) if wanted.isdecimal() and int(wanted) else max(1, cores // jobs))


def ask_for_deterministic_kernels(device: str) -> None:
    """Ask torch for deterministic kernels; one that has no such version warns, and the run records it."""
    if device.startswith("cuda"):
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
