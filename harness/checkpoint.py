"""Checkpoints of unfinished training: one safetensors file, replaced atomically, never a pickle.

A checkpoint names the commits and machines that it was trained at, its own and those of the checkpoints that it goes on
from.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from harness import commits, environment
from harness.commits import Commit

FILE = "checkpoint.safetensors"


def save(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Replace the folder's checkpoint by ``tensors`` and the JSON-like ``state``; a kill leaves the old one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{FILE}.tmp"
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    trained = [*dict.fromkeys([*trained_at(folder), commits.here()])]
    machines = [*dict.fromkeys([*trained_on(folder), environment.machine()])]
    facts = {"state": state, "commits": trained, "machines": machines}
    save_file(kept, temporary, {key: json.dumps(fact) for key, fact in facts.items()} | {"sha256": _digest(kept)})
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(folder / FILE)


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The folder's checkpoint on the CPU, or None where there is none that is whole."""
    try:
        with safe_open(folder / FILE, framework="pt") as handle:
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118  it is no dict
            state, digest = json.loads(handle.metadata()["state"]), handle.metadata()["sha256"]
    except (OSError, ValueError, SafetensorError, KeyError, TypeError):
        return None
    return (tensors, state) if digest == _digest(tensors) else None


def trained_at(folder: Path) -> tuple[Commit, ...]:
    """The commits that the folder's checkpoint was trained from, oldest first; one not known where it names none."""
    return tuple((name, dirty) for name, dirty in _named(folder, "commits", (None, None)))


def trained_on(folder: Path) -> tuple[str, ...]:
    """The machines that the folder's checkpoint was trained on, oldest first; one not known where it names none."""
    return tuple(_named(folder, "machines", commits.UNKNOWN))


def _named(folder: Path, fact: str, unknown: Any) -> list[Any]:
    """A list in the folder's checkpoint; empty without a checkpoint, ``unknown`` alone where it lacks the list."""
    try:
        with safe_open(folder / FILE, framework="pt") as handle:
            return list(json.loads(handle.metadata()[fact]))
    except (OSError, SafetensorError):
        return []
    except (ValueError, KeyError, TypeError):
        return [unknown]


def _digest(tensors: dict[str, Tensor]) -> str:
    """sha256 of the tensors' bytes in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def pack_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's per-parameter tensors, named ``optimizer.<parameter index>.<key>``."""
    per_parameter = optimizer.state_dict()["state"]
    return {
        f"optimizer.{index}.{key}": torch.as_tensor(value)
        for index, values in per_parameter.items()
        for key, value in values.items()
    }


def unpack_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`pack_optimizer` took out."""
    state = optimizer.state_dict()
    per_parameter: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            per_parameter.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": per_parameter, "param_groups": state["param_groups"]})
