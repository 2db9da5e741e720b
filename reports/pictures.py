"""The pictures of a report, each where there is anything to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.cell import Cell
from harness.costs.kept import KeptCost
from harness.costs.rows import CostRow
from harness.papers import paper as papers
from harness.papers.tables import Sweep
from harness.store import Run
from reports import figure, forest, growth, latency, learning, pareto, power, serving, sweep
from reports.table import title


@dataclass(frozen=True)
class Picture:
    """One SVG element.

    Attributes:
        name: what its file is called after the paper's name, with a hyphen between; empty for the paper's name alone.
        title: over it.
        caption: under its title.
        svg: the element.
    """

    name: str
    title: str
    caption: str
    svg: str

    def file(self, paper: str) -> str:
        """The file's name."""
        return f"{paper}-{self.name}.svg" if self.name else f"{paper}.svg"


def pictures(
    cells: Sequence[Cell], runs: Sequence[Run], costs: Sequence[CostRow] = (), served: Sequence[KeptCost] = ()
) -> list[Picture]:
    """What there is to draw of a paper's tables.

    Args:
        cells: cells of one table or several.
        runs: all runs there are.
        costs: rows of figures of costs.
        served: costs of figures of serving.
    """
    found = []
    if chosen := figure.choose(cells):
        found.append(Picture("", figure.TITLE, figure.CAPTION, figure.as_svg(figure.draw(chosen))))
    if chosen := forest.choose(cells):
        found.append(Picture("forest", forest.TITLE, forest.CAPTION, figure.as_svg(forest.draw(chosen))))
    if chosen := power.choose(cells):
        found.append(Picture("power", power.TITLE, power.CAPTION, figure.as_svg(power.draw(chosen))))
    if tuned := learning.choose(cells, runs):
        found.append(Picture("learning", learning.TITLE, learning.CAPTION, figure.as_svg(learning.draw(tuned))))
    for table, line in sweep.choose(cells).items():
        spec = papers.load(line[0].paper).table(table)
        assert isinstance(spec, Sweep)
        svg = figure.as_svg(sweep.draw(line, spec.setting, spec.values))
        found.append(Picture(table, f"{title(table)}. {spec.caption}", sweep.CAPTION, svg))
    for table in dict.fromkeys(row.table for row in costs):
        own = [row for row in costs if row.table == table]
        if single := [row for row in own if row.cost.cost.batch == 1]:
            drawn = latency.draw(single, [cell for cell in cells if cell.table == table])
            found.append(Picture(table, title(table), latency.CAPTION, figure.as_svg(drawn)))
        if known := pareto.choose(own):
            svg = figure.as_svg(pareto.draw(known))
            found.append(Picture(f"{table}-accuracy", "Accuracy against latency", pareto.CAPTION, svg))
    if served:
        found.append(Picture("serving", serving.TITLE, growth.CAPTION, figure.as_svg(growth.draw(served))))
    return found
