"""Checkpoints of unfinished training: one safetensors file, replaced atomically, never a pickle.

A checkpoint names the commits and machines that it was trained at, its own and those of the checkpoints that it goes on
from.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from harness import commits, environment
from harness.commits import Commit
from harness.errors import WorkError
from harness.folders import sync

FILE = "checkpoint.safetensors"


class Trained(NamedTuple):
    """Where a checkpoint's training ran, its own and that of the checkpoints before it, oldest first, each once."""

    commits: tuple[Commit, ...]
    machines: tuple[str, ...]


def save(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Replace the folder's checkpoint by ``tensors`` and the JSON-like ``state``; a kill leaves the old one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{FILE}.tmp"
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    before = trained(folder)
    facts = {
        "state": state,
        "commits": [*dict.fromkeys([*before.commits, commits.here()])],
        "machines": [*dict.fromkeys([*before.machines, environment.machine()])],
    }
    save_file(kept, temporary, {key: json.dumps(fact) for key, fact in facts.items()} | {"sha256": _digest(kept)})
    sync(temporary)
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


@contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Around taking up the folder's checkpoint.

    Raises:
        WorkError: it was written by code that keeps other things than this.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise WorkError(
            f"{folder / FILE}: was written by another version and does not fit this one ({reason}); "
            "go on at that version, or delete the file to train anew"
        ) from None


def trained(folder: Path) -> Trained:
    """What the folder's checkpoint was trained at and on: nothing without one, one not known for what it lacks."""
    try:
        with safe_open(folder / FILE, framework="pt") as handle:
            facts = handle.metadata() or {}
    except (OSError, SafetensorError):
        return Trained((), ())
    commits_named = _listed(facts, "commits", (None, None))
    return Trained(
        tuple((name, dirty) for name, dirty in commits_named), tuple(_listed(facts, "machines", commits.UNKNOWN))
    )


def _listed(facts: dict[str, str], key: str, unknown: Any) -> list[Any]:
    """The list among the facts; ``unknown`` alone where there is none."""
    try:
        return list(json.loads(facts[key]))
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
