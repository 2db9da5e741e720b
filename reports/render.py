"""A paper's tables in any format, as text or as files."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.claims import claims as claims_of
from harness.cost_rows import CostRow
from harness.errors import InputError
from harness.papers import paper as papers
from harness.papers.paper import Paper
from harness.store import Run
from reports import claims, csv, html, json, latex, markdown, terminal
from reports import costs as of_costs
from reports.footnotes import audited
from reports.listing import Listing
from reports.pictures import Picture, pictures
from reports.table import grid, title

FILES = ("md", "tex", "html", "csv", "json")
FORMATS = ("terminal", *FILES)
ILLUSTRATED = ("md", "html")
WIDTH = 150


def render(
    paper_id: str,
    cells: Sequence[Cell],
    runs: Sequence[Run],
    format_: str,
    command: str,
    costs: Sequence[CostRow] = (),
) -> str:
    """The tables of a paper as one text.

    Args:
        paper_id: the paper's name.
        cells: cells of one table or several.
        runs: all runs there are; foot and notes are made from those behind the cells.
        format_: one of ``FORMATS``.
        command: what rebuilds this from the same runs.
        costs: rows of the figures of costs among the cells' tables.

    Raises:
        InputError: an unknown format.
    """
    if format_ not in FORMATS:
        raise InputError(f"format {format_!r} is unknown; known: {', '.join(FORMATS)}")
    drawn = pictures(cells, runs, costs) if format_ in ILLUSTRATED else []
    return _text(paper_id, cells, runs, format_, command, costs, drawn)


def _text(
    paper_id: str,
    cells: Sequence[Cell],
    runs: Sequence[Run],
    format_: str,
    command: str,
    costs: Sequence[CostRow],
    drawn: Sequence[Picture],
) -> str:
    if format_ == "csv":
        return csv.render(cells)
    if format_ == "json":
        return json.render(cells)
    paper = papers.load(paper_id)
    tables = [t for t in dict.fromkeys(cell.table for cell in cells) if paper.table(t).kind != "cost"]
    grids = [grid(paper, table, [cell for cell in cells if cell.table == table], runs, command) for table in tables]
    tabled = [costs_table(paper, table, costs) for table in dict.fromkeys(row.table for row in costs)]
    listings = list(filter(None, [*tabled, claims.listing(claims_of(paper, cells))]))
    if format_ == "md":
        return markdown.render(paper, grids, listings, drawn)
    if format_ == "tex":
        return latex.render(paper, grids, listings)
    if format_ == "html":
        return html.render(paper, grids, listings, drawn)
    colour = sys.stdout.isatty()
    return terminal.render(paper, grids, listings, shutil.get_terminal_size().columns if colour else WIDTH, colour)


def costs_table(paper: Paper, table: str, costs: Sequence[CostRow]) -> Listing | None:
    """A figure of costs as a table."""
    own = [row for row in costs if row.table == table]
    return of_costs.listing(title(table), paper.table(table).caption, own)


def write(
    paper_id: str,
    cells: Sequence[Cell],
    runs: Sequence[Run],
    folder: Path,
    command: str,
    costs: Sequence[CostRow] = (),
) -> list[Path]:
    """Write the tables in every file format, and the pictures that there are; each file whole or not at all.

    Returns:
        The files: ``<paper>.<format>``, ``<paper>.svg``, ``<paper>-<picture>.svg``, and as CSV and JSON
        ``<paper>-claims``, ``<paper>-costs`` and ``<paper>-findings``, which the other formats hold within.

    Raises:
        InputError: the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; expected a folder")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures(cells, runs, costs)
    texts = {f"{paper_id}.{each}": _text(paper_id, cells, runs, each, command, costs, drawn) for each in FILES}
    for name, rows in _beside(paper_id, cells, costs).items():
        if rows:
            texts |= {f"{paper_id}-{name}.csv": csv.lines(rows), f"{paper_id}-{name}.json": json.document(rows)}
    texts |= {picture.file(paper_id): picture.svg for picture in drawn}
    for name, text in texts.items():
        temporary = folder / f".{name}.unfinished"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / name)
    return [folder / name for name in texts]


def _beside(paper_id: str, cells: Sequence[Cell], costs: Sequence[CostRow]) -> dict[str, list[dict[str, Any]]]:
    """What a list of cells has no place for: costs, and claims and the audit's findings about the cells' tables."""
    tables = {cell.table for cell in cells}
    paper = papers.load(paper_id)
    findings = [vars(finding) for finding in audited(paper_id) if finding.table in tables]
    claimed = [row.model_dump(mode="json") for row in claims_of(paper, cells)]
    return {"claims": claimed, "costs": [of_costs.flat(row) for row in costs], "findings": findings}
