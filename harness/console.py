"""What the verbs print: results on standard output, progress and errors on standard error."""

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

STARTED = time.monotonic()


def progress(line: str) -> None:
    """One line of progress on standard error, with the minutes and seconds since the start."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"[{minutes:3d}:{seconds:02d}] {line}", file=sys.stderr, flush=True)


def document(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, allow_nan=False))


def table(headings: Iterable[str], rows: Iterable[Iterable[object]], title: str | None = None) -> None:
    """A table on standard output, as wide as its content where that is not a terminal."""
    console = Console(width=None if sys.stdout.isatty() else 200)
    shown = Table(*headings, title=title, title_justify="left")
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    console.print(shown)
