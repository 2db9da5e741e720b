"""Tables in Markdown, the data sets of a wide table stacked."""

from collections.abc import Sequence

from tabulate import tabulate

from harness.papers.paper import Paper
from reports import legend
from reports.listing import Listing
from reports.pictures import Picture
from reports.table import Block, Entry, Grid

SPECIAL = "\\`*_{}[]<>|#"
MARKS = {"best": "**{}**", "second": "<u>{}</u>", None: "{}"}


def render(paper: Paper, grids: Sequence[Grid], listings: Sequence[Listing], pictures: Sequence[Picture]) -> str:
    """One document with every table.

    Args:
        paper: the paper.
        grids: its tables.
        listings: plain tables behind them: costs, claims.
        pictures: their files lie beside the document.
    """
    parts = [f"# {escape(paper.title)}", f"{escape(', '.join(paper.authors))}. {escape(paper.venue)}. <{paper.url}>"]
    parts += [_table(grid) for grid in grids]
    for each in listings:
        rows = [list(map(escape, row)) for row in each.rows]
        table = tabulate(rows, list(map(escape, each.headings)), tablefmt="pipe", disable_numparse=True)
        parts += [f"## {each.title}", escape(each.caption), table]
    for picture in pictures:
        parts += [f"## {picture.title}", escape(picture.caption), f"![{picture.title}]({picture.file(paper.id)})"]
    verdicts = "\n".join(f"- `{verdict}`: {escape(meaning)}" for verdict, meaning in legend.VERDICTS)
    parts += ["## How to read a cell", escape(legend.CELL), f"{legend.PLACES} **Best**, <u>second</u>.", verdicts]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in flat)


def _table(grid: Grid) -> str:
    parts = [f"## {grid.title}", escape(grid.caption)]
    for block in grid.blocks:
        parts += [f"### {escape(block.heading)}"] if block.heading else []
        parts.append(_block(grid.corner, block))
    parts.append("\n".join(f"- {name}: {escape(text)}" for name, text in grid.foot))
    if grid.notes:
        parts.append("\n".join(["Notes:", "", *(f"- {escape(note)}" for note in grid.notes)]))
    return "\n\n".join(parts)


def _block(corner: str, block: Block) -> str:
    headers = [corner, *map(escape, block.columns)]
    rows = [[escape(label), *map(_cell, entries)] for label, entries in block.rows]
    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)


def _cell(entry: Entry) -> str:
    difference = f" ({escape(entry.difference)})" if entry.difference else ""
    first = MARKS[entry.place].format(entry.mean) + entry.mark + difference
    return "<br>".join([first, *map(escape, entry.lines), *filter(None, [entry.verdict])])
