"""A paper's tables in any format, as text or as files."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.claims import claims as claims_of
from harness.errors import InputError
from harness.papers import paper as papers
from harness.store import Run
from reports import claims, csv, html, json, latex, markdown, terminal
from reports.footnotes import audited
from reports.pictures import Picture, pictures
from reports.table import grid

FILES = ("md", "tex", "html", "csv", "json")
FORMATS = ("terminal", *FILES)
ILLUSTRATED = ("md", "html")
WIDTH = 150


def render(paper_id: str, cells: Sequence[Cell], runs: Sequence[Run], format_: str, command: str) -> str:
    """The tables of a paper as one text.

    Args:
        paper_id: the paper's name.
        cells: cells of one table or several.
        runs: all runs there are; foot and notes are made from those behind the cells.
        format_: one of ``FORMATS``.
        command: what rebuilds this from the same runs.

    Raises:
        InputError: an unknown format.
    """
    if format_ not in FORMATS:
        raise InputError(f"format {format_!r} is unknown; known: {', '.join(FORMATS)}")
    drawn = pictures(cells, runs) if format_ in ILLUSTRATED else []
    return _text(paper_id, cells, runs, format_, command, drawn)


def _text(
    paper_id: str, cells: Sequence[Cell], runs: Sequence[Run], format_: str, command: str, drawn: Sequence[Picture]
) -> str:
    if format_ == "csv":
        return csv.render(cells)
    if format_ == "json":
        return json.render(cells)
    paper = papers.load(paper_id)
    tables = dict.fromkeys(cell.table for cell in cells)
    grids = [grid(paper, table, [cell for cell in cells if cell.table == table], runs, command) for table in tables]
    claimed = claims.listing(claims_of(paper, cells))
    if format_ == "md":
        return markdown.render(paper, grids, claimed, drawn)
    if format_ == "tex":
        return latex.render(paper, grids, claimed)
    if format_ == "html":
        return html.render(paper, grids, claimed, drawn)
    colour = sys.stdout.isatty()
    return terminal.render(paper, grids, claimed, shutil.get_terminal_size().columns if colour else WIDTH, colour)


def write(paper_id: str, cells: Sequence[Cell], runs: Sequence[Run], folder: Path, command: str) -> list[Path]:
    """Write the tables in every file format, and the pictures that there are; each file whole or not at all.

    Returns:
        The files: ``<paper>.<format>``, ``<paper>.svg``, ``<paper>-<picture>.svg``, and as CSV and JSON
        ``<paper>-claims`` and ``<paper>-findings``, which the other formats hold within.

    Raises:
        InputError: the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; expected a folder")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures(cells, runs)
    texts = {f"{paper_id}.{format_}": _text(paper_id, cells, runs, format_, command, drawn) for format_ in FILES}
    for name, rows in _beside(paper_id, cells).items():
        if rows:
            texts |= {f"{paper_id}-{name}.csv": csv.lines(rows), f"{paper_id}-{name}.json": json.document(rows)}
    texts |= {picture.file(paper_id): picture.svg for picture in drawn}
    for name, text in texts.items():
        temporary = folder / f".{name}.unfinished"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / name)
    return [folder / name for name in texts]


def _beside(paper_id: str, cells: Sequence[Cell]) -> dict[str, list[dict[str, Any]]]:
    """What a list of cells has no place for: claims, and the audit's findings, about the tables that have cells."""
    tables = {cell.table for cell in cells}
    paper = papers.load(paper_id)
    findings = [vars(finding) for finding in audited(paper_id) if finding.table in tables]
    return {"claims": [row.model_dump(mode="json") for row in claims_of(paper, cells)], "findings": findings}
