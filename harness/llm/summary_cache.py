"""Batches of summaries on disk, found again by all that decides them; a killed job loses at most the batch at hand."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from harness.home import Home

FOLDER = "summaries"


Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


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
    tokens_read: Count
    tokens_written: Count
    seconds: Amount
    energy_j: Amount | None = None


def path(home: Home, decisive: dict[str, Any]) -> Path:
    """Where a batch lies that was decided by the given JSON-like facts."""
    key = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return home.cache / FOLDER / key[:2] / f"{key}.json"


def load(file: Path, prompts: int) -> Batch | None:
    """The batch of so many prompts, or None where there is none that is as it was written."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        batch = Batch(**found["batch"])
        return batch if found == _sealed(file, batch) and len(batch.texts) == prompts else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def save(file: Path, batch: Batch) -> None:
    """Write the batch so that neither a kill nor another process that writes it leaves a part of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".partial", delete=False) as partial:
        partial.write(json.dumps(_sealed(file, batch)))
    Path(partial.name).replace(file)


def _sealed(file: Path, batch: Batch) -> dict[str, Any]:
    """What stands in the file: the batch, and the sha256 of it and of what decided it."""
    content = asdict(batch)
    return {"batch": content, "sha256": hashlib.sha256(f"{file.stem} {json.dumps(content)}".encode()).hexdigest()}
