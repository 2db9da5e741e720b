"""What this machine can run, and why not the rest."""

import importlib.util
import os
import shutil
from dataclasses import dataclass

import psutil
import torch

from harness import environment
from harness.data import catalogue
from harness.home import Home
from harness.llm.backbone import has_bfloat16

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
    bf16 = "multiplies" if has_bfloat16(torch.device("cpu")) else "does not multiply"
    return [
        Finding("processor", True, f"{facts['processor']}, {facts['cores']} cores; {bf16} bfloat16 natively"),
        Finding(
            "memory",
            memory.available >= 6 * GIB,
            f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free; profile cpu may take 6",
        ),
        _gpu(),
        _disk(home),
        _package("vllm", "lists that a serving engine writes (Figure 3)"),
        _package("pynvml", "energy of a GPU run"),
        _mirror(home),
        *(_dataset(name, entry, home) for name, entry in catalogue.entries().items()),
    ]


def _gpu() -> Finding:
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        return Finding("GPU", True, f"{gpu.name}, {gpu.total_memory / GIB:.0f} GiB: profiles gpu and paper")
    return Finding("GPU", False, "none: at profiles gpu and paper only for systems without a language model")


def _disk(home: Home) -> Finding:
    existing = next(path for path in (home.root, *home.root.parents) if path.is_dir())
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


def _dataset(name: str, entry: catalogue.Entry, home: Home) -> Finding:
    for place in filter(None, (home.cache, home.mirror)):
        if any(all((place / name / file.name).exists() for file in form.files) for form in entry.forms):
            return Finding(f"data: {name}", True, f"in {place}")
    fetchable = any(all(file.url or file.wheel for file in form.files) for form in entry.forms)
    return Finding(f"data: {name}", fetchable, "would be fetched" if fetchable else "only a mirror can have it")
