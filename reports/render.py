"""A paper's tables in any format, as text or as files."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.folders import check_folder, write_whole
from harness.papers import paper as papers
from harness.papers.cost_figures import ServingFigure
from harness.shown import Shown
from harness.store import Run
from reports import claims, csv, gains, html, json, latex, markdown, other_rule, serving, summaries, terminal, variants
from reports import costs as of_costs
from reports.footnotes import audited
from reports.listing import Listing
from reports.pictures import Picture, pictures
from reports.table import grid, title

FILES = ("md", "tex", "html", "csv", "json")
FORMATS = ("terminal", *FILES)
ILLUSTRATED = ("md", "html")
WIDTH = 150


def render(found: Shown, runs: Sequence[Run], format_: str, command: str) -> str:
    """The tables of a paper as one text.

    Args:
        found: what is shown of it.
        runs: all runs there are; foot and notes are made from those behind the cells.
        format_: one of ``FORMATS``.
        command: what rebuilds this from the same runs.

    Raises:
        InputError: an unknown format.
    """
    if format_ not in FORMATS:
        raise InputError(f"format {format_!r} is unknown; known: {', '.join(FORMATS)}")
    drawn = pictures(found.cells, runs, found.costs, found.serving) if format_ in ILLUSTRATED else []
    return _text(found, runs, format_, command, drawn)


def _text(found: Shown, runs: Sequence[Run], format_: str, command: str, drawn: Sequence[Picture]) -> str:
    cells = found.cells
    if format_ == "csv":
        return csv.render(cells)
    if format_ == "json":
        return json.render(cells)
    paper = papers.load(found.paper)
    tables = [t for t in dict.fromkeys(cell.table for cell in cells) if paper.table(t).kind != "cost"]
    grids = [grid(paper, table, [cell for cell in cells if cell.table == table], runs, command) for table in tables]
    listings = _listings(found, runs)
    if format_ == "md":
        return markdown.render(paper, grids, listings, drawn)
    if format_ == "tex":
        return latex.render(paper, grids, listings)
    if format_ == "html":
        return html.render(paper, grids, listings, drawn)
    colour = sys.stdout.isatty()
    return terminal.render(paper, grids, listings, shutil.get_terminal_size().columns if colour else WIDTH, colour)


def _listings(found: Shown, runs: Sequence[Run]) -> list[Listing]:
    """The tables behind the paper's own: costs, serving, variants, gains, ties, summaries, claims."""
    paper = papers.load(found.paper)
    costs = [
        of_costs.listing(title(table), paper.table(table).caption, [row for row in found.costs if row.table == table])
        for table in dict.fromkeys(row.table for row in found.costs)
    ]
    figures = [spec for spec in paper.tables.values() if isinstance(spec, ServingFigure)]
    served = [serving.listing(spec.caption, found.serving) for spec in figures]
    varied = variants.listings(found.variants, {row.table: paper.table(row.table).caption for row in found.variants})
    claimed = claims.listing(found.claims)
    summarised = summaries.choose(found.cells, runs)
    beside = [*gains.listings(found.gains), *other_rule.listings(found.other_rules), *summaries.listings(summarised)]
    return [each for each in (*costs, *served, *varied, *beside, claimed) if each]


def write(found: Shown, runs: Sequence[Run], folder: Path, command: str) -> list[Path]:
    """Write the tables in every file format, and the pictures that there are; each file whole or not at all.

    Returns:
        The files: ``<paper>.<format>``, ``<paper>.svg``, ``<paper>-<picture>.svg``, and as CSV and JSON
        ``<paper>-claims``, ``-costs``, ``-findings``, ``-gains``, ``-serving``, ``-summaries``, ``-ties`` and
        ``-variants``, which the other formats hold within.

    Raises:
        InputError: the folder is a file or lies in one.
    """
    check_folder(folder)
    paper = found.paper
    drawn = pictures(found.cells, runs, found.costs, found.serving)
    texts = {f"{paper}.{each}": _text(found, runs, each, command, drawn) for each in FILES}
    for name, rows in _beside(found, runs).items():
        if rows:
            texts |= {f"{paper}-{name}.csv": csv.lines(rows), f"{paper}-{name}.json": json.document(rows)}
    texts |= {picture.file(paper): picture.svg for picture in drawn}
    return [write_whole(folder / name, text) for name, text in texts.items()]


def _beside(found: Shown, runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """What a list of cells has no place for, and the audit's findings about the cells' tables."""
    tables = {cell.table for cell in found.cells}
    findings = [vars(finding) for finding in audited(found.paper) if finding.table in tables]
    return {
        "claims": [row.model_dump(mode="json") for row in found.claims],
        "costs": [of_costs.flat(row) for row in found.costs],
        "findings": findings,
        "gains": [gains.flat(row) for row in found.gains],
        "serving": [serving.flat(kept) for kept in found.serving],
        "summaries": [summaries.flat(row) for row in summaries.choose(found.cells, runs)],
        "ties": [other_rule.flat(row) for row in found.other_rules],
        "variants": [variants.flat(row) for row in found.variants],
    }
