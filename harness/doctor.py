"""What this machine can run, and why not the rest."""

import importlib.util
import os
import shutil
from dataclasses import dataclass

import psutil
import torch

from harness import environment
from harness.home import Home

GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        ok: whether it is as the harness would have it.
        detail: what was found, and what it means where it is not.
    """

    subject: str
    ok: bool
    detail: str


def examine(home: Home) -> list[Finding]:
    """Look at processor, memory, disk, GPU, optional packages and the state folder."""
    facts = environment.hardware()
    memory = psutil.virtual_memory()
    bf16 = torch.backends.cpu.get_cpu_capability()
    return [
        Finding("processor", True, f"{facts['processor']}, {facts['cores']} cores, {bf16}"),
        Finding(
            "memory",
            memory.available >= 6 * GIB,
            f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free; profile cpu takes up to 6",
        ),
        _gpu(),
        _disk(home),
        _package("bitsandbytes", "NF4 backbones (the paper's quantisation)"),
        _package("pynvml", "energy of a GPU run"),
        _mirror(home),
    ]


def _gpu() -> Finding:
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        return Finding("GPU", True, f"{gpu.name}, {gpu.total_memory / GIB:.0f} GiB: profiles gpu and paper")
    return Finding("GPU", False, "none: profiles smoke and cpu run; gpu and paper would take days")


def _disk(home: Home) -> Finding:
    existing = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    return Finding("state folder", writable and free >= 2 * GIB, f"{home.root}, {free / GIB:.1f} GiB free of 2 needed")


def _package(name: str, use: str) -> Finding:
    found = importlib.util.find_spec(name) is not None
    return Finding(name, found, f"{'installed' if found else 'not installed'}: {use}")


def _mirror(home: Home) -> Finding:
    if home.mirror is None:
        return Finding("mirror", True, "none named: files come from their official addresses and the package index")
    return Finding("mirror", home.mirror.is_dir(), f"{home.mirror}{'' if home.mirror.is_dir() else ': no such folder'}")
