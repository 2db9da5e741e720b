"""Tables for a terminal, the data sets of a wide table stacked."""

from collections.abc import Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.papers.paper import Paper
from reports import legend
from reports.listing import Listing
from reports.table import Block, Entry, Grid

MARKS = {"best": ("*", "bold"), "second": ("+", "underline"), None: ("", "")}
COLOURS = {"reproduced": "green", "differs": "red", "undecided": "yellow"}


def render(paper: Paper, grids: Sequence[Grid], listings: Sequence[Listing], width: int, colour: bool) -> str:
    """One page with every table.

    Args:
        paper: the paper.
        grids: its tables.
        listings: plain tables behind them: costs, claims.
        width: characters a line; a narrow terminal wraps the lines of a cell.
        colour: whether the terminal understands styles.
    """
    console = Console(file=StringIO(), width=width, force_terminal=colour, no_color=not colour, highlight=False)
    console.print(Text(f"{paper.title} ({paper.venue})", "bold"))
    for grid in grids:
        console.print(Text(f"\n{grid.title}. {grid.caption}", "bold"))
        for block in grid.blocks:
            console.print(_block(grid.corner, block), "")
        for name, text in grid.foot:
            console.print(Text(f"{name}: {text}"))
        for note in grid.notes:
            console.print(Text(f"- {note}"))
    for listing in listings:
        console.print(Text(f"\n{listing.title}. {listing.caption}", "bold"))
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
        for heading in listing.headings:
            table.add_column(Text(heading), overflow="fold")
        for row in listing.rows:
            table.add_row(*map(Text, row))
        console.print(table)
    console.print(Text(f"\n{legend.CELL} {legend.PLACES} *: best, +: second."))
    for verdict, meaning in legend.VERDICTS:
        console.print(Text(f"  {verdict}: {meaning}", COLOURS.get(verdict, "")))
    assert isinstance(console.file, StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _block(corner: str, block: Block) -> Table:
    table = Table(
        title=Text(block.heading, "bold"), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, padding=0
    )
    table.add_column(corner, no_wrap=True)
    for column in block.columns:
        table.add_column(Text(column), justify="right", overflow="fold")
    for label, entries in block.rows:
        table.add_row(Text(label), *map(_cell, entries))
    return table


def _cell(entry: Entry) -> Text:
    mark, style = MARKS[entry.place]
    text = Text(entry.mean + mark + entry.mark, style)
    if entry.difference:
        text.append(f" ({entry.difference})", "not bold not underline")
    for line in entry.lines:
        text.append(f"\n{line}", "not bold not underline dim")
    if entry.verdict:
        text.append(f"\n{entry.verdict}", f"not bold not underline {COLOURS.get(entry.verdict, '')}")
    return text
