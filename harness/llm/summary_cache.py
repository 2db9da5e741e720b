"""Batches of summaries on disk, found again by all that decides them; a killed job loses at most the batch at hand."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from harness.home import Home

FOLDER = "summaries"


@dataclass(frozen=True)
class Batch:
    """What a model wrote behind the prompts of one batch.

    Attributes:
        texts: one a prompt.
        tokens_read: of all prompts, padding left aside.
        tokens_written: of all texts.
        seconds: that the batch took.
        energy_j: that the GPU took for it, in joules; None where it cannot be read.
    """

    texts: list[str]
    tokens_read: int
    tokens_written: int
    seconds: float
    energy_j: float | None = None


def path(home: Home, decisive: dict[str, Any]) -> Path:
    """Where a batch lies that was decided by the given JSON-like facts."""
    key = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return home.cache / FOLDER / key[:2] / f"{key}.json"


def load(file: Path) -> Batch | None:
    """The batch, or None where there is none that is whole."""
    try:
        return Batch(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save(file: Path, batch: Batch) -> None:
    """Write the batch so that neither a kill nor another process that writes it leaves a part of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".partial", delete=False) as partial:
        partial.write(json.dumps(asdict(batch)))
    Path(partial.name).replace(file)
