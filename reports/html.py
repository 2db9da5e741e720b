"""Tables as one self-contained HTML page, data sets side by side, with the figure."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.papers.paper import Paper
from reports import learning, legend
from reports.table import Grid


def render(paper: Paper, grids: Sequence[Grid], figure: str | None, curves: str | None) -> str:
    """One page with every table; it loads nothing.

    Args:
        paper: the paper.
        grids: its tables.
        figure: an SVG element made by ``reports.figure``, or None.
        curves: an SVG element made by ``reports.learning``, or None.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        autoescape=True,
    )
    template = environment.get_template("report.html.j2")
    found = (("Reproduced and published", "", figure), (learning.TITLE, learning.CAPTION, curves))
    pictures = [(title, caption, Markup(picture)) for title, caption, picture in found if picture]
    return template.render(paper=paper, grids=grids, pictures=pictures, legend=legend) + "\n"
