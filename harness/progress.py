"""Progress of work that takes longer than a second: a bar with an ETA on a terminal; elsewhere only plain lines."""

import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

Report = Callable[[str], None]
Item = TypeVar("Item")


def track(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """Iterate with a bar on standard error, which goes away at the end and does not show where that is no terminal.

    Args:
        items: what to go through.
        what: named before the bar.
        total: how many items there are, where they do not know it themselves.
    """
    shown = sys.stderr.isatty()
    return rich_track(items, what, total=total, console=Console(stderr=True), transient=True, disable=not shown)
