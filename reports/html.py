"""Tables as one self-contained HTML page, data sets side by side, with the pictures."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.papers.paper import Paper
from reports import legend
from reports.listing import Listing
from reports.pictures import Picture
from reports.table import Grid


def render(paper: Paper, grids: Sequence[Grid], listings: Sequence[Listing], pictures: Sequence[Picture]) -> str:
    """One page with every table; it loads nothing.

    Args:
        paper: the paper.
        grids: its tables.
        listings: plain tables behind them: costs, claims.
        pictures: embedded under them.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        autoescape=True,
    )
    template = environment.get_template("report.html.j2")
    return template.render(paper=paper, grids=grids, listings=listings, pictures=pictures, legend=legend) + "\n"
