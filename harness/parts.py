"""The commits that an unfinished training was run from, kept beside its checkpoint: a resume may be from another."""

import json
from pathlib import Path

from harness import checkpoint, environment

FILE = "commits.json"
Part = tuple[str | None, bool | None]  # commit and whether the checkout had changes; None outside one, or not known


def enter(work: Path) -> None:
    """Note that training begins here, or goes on from the folder's checkpoint, at the present commit."""
    before = earlier(work) if checkpoint.load(work) else []
    work.mkdir(parents=True, exist_ok=True)
    temporary = work / f"{FILE}.tmp"
    temporary.write_text(json.dumps([*before, environment.commit()]))
    temporary.replace(work / FILE)


def earlier(work: Path) -> list[Part]:
    """Parts of the training with a checkpoint in the folder, oldest first; one of no known commit if none is kept."""
    try:
        return [(sha, dirty) for sha, dirty in json.loads((work / FILE).read_text())]
    except (OSError, ValueError, TypeError):
        return [(None, None)]
