"""A paper's tables in any format, as text or as files."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cells import Cell
from harness.errors import InputError
from harness.papers import paper as papers
from harness.store import Run
from reports import csv, figure, html, json, latex, learning, markdown, terminal
from reports.table import grid

FILES = ("md", "tex", "html", "csv", "json")
FORMATS = ("terminal", *FILES)
WIDTH = 150
LEARNING = "{}-learning.svg"  # the file that the Markdown links


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
    if format_ == "csv":
        return csv.render(cells)
    if format_ == "json":
        return json.render(cells)
    paper = papers.load(paper_id)
    tables = dict.fromkeys(cell.table for cell in cells)
    grids = [grid(paper, table, [cell for cell in cells if cell.table == table], runs, command) for table in tables]
    tuned = learning.choose(cells, runs)
    if format_ == "md":
        return markdown.render(paper, grids, LEARNING.format(paper_id) if tuned else None)
    if format_ == "tex":
        return latex.render(paper, grids)
    if format_ == "html":
        return html.render(paper, grids, figure.svg(cells), learning.svg(tuned))
    colour = sys.stdout.isatty()
    return terminal.render(paper, grids, shutil.get_terminal_size().columns if colour else WIDTH, colour)


def write(paper_id: str, cells: Sequence[Cell], runs: Sequence[Run], folder: Path, command: str) -> list[Path]:
    """Write the tables in every file format, the figure where anything was run, and re-rankers' learning curves.

    Returns:
        The files: ``<paper>.<format>``, ``<paper>.svg`` and ``<paper>-learning.svg``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{paper_id}.{format_}": render(paper_id, cells, runs, format_, command) for format_ in FILES}
    if picture := figure.svg(cells):
        texts[f"{paper_id}.svg"] = picture
    if picture := learning.svg(learning.choose(cells, runs)):
        texts[LEARNING.format(paper_id)] = picture
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
