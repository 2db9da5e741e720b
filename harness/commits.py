"""Commits that something was made from; what was stopped may have gone on at another."""

import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

Commit = tuple[str | None, bool | None]  # its name, and whether the checkout had changes; None where not known
UNKNOWN = "unknown"


@cache
def here() -> Commit:
    """The checkout that the harness runs from, as it was when this process first asked: its code is loaded since."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None, None

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "HEAD").strip(), bool(git("status", "--porcelain").strip())
    except (OSError, subprocess.CalledProcessError):
        return None, None


def others(commits: Iterable[Commit]) -> tuple[str, ...]:
    """Names of those that are not the present one, each once, in their order."""
    return tuple(dict.fromkeys(name or UNKNOWN for name, _ in commits if name != here()[0]))


def changed(commits: Iterable[Commit]) -> bool | None:
    """Whether one of them, or the present one, had changes; None where that is not known."""
    return worst(dirty for _, dirty in (*commits, here()))


def worst(dirty: Iterable[bool | None]) -> bool | None:
    """Whether one of several had changes; None where that is not known."""
    found = set(dirty)
    return True if True in found else None if None in found else False
