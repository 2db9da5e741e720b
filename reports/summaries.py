"""The table of summaries: whether they leak what came after the history, and how good they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell
from harness.store import Run
from reports.listing import Listing, by_table
from reports.notes import is_of_summaries
from reports.table import title

CAPTION = (
    "One row a run whose system has histories summarised. Counts of summaries: those of a history that no case has (a "
    "leak, if not 0), whose target already stands in the history, or that name the whole title of the target or have a "
    "word of it where what the summariser was shown does not; the same for a random item of the target's category, as "
    "words coincide. Then what shows a weak summariser: words of a summary, shares of the shown items' words and of "
    "their category words that it has, share of repeated spans of three words; means over summaries that are not empty."
)
COUNT = "summaries"


@dataclass(frozen=True)
class Summarised:
    """A run with summaries, where a table shows it.

    Attributes:
        table: its table's number.
        dataset, system: the column, as printed.
        x: the value of a figure's setting; None in a table.
        run: the run.
    """

    table: str
    dataset: str
    system: str
    x: str | int | None
    run: Run

    def facts(self) -> dict[str, float | int | str]:
        """What is known of its summaries, by name."""
        return {name: value for name, value in self.run.record.fit.notes.items() if is_of_summaries(name)}


def choose(cells: Sequence[Cell], runs: Sequence[Run]) -> list[Summarised]:
    """The runs with summaries behind the cells, in the cells' order.

    Args:
        cells: of one table or several.
        runs: all runs there are.
    """
    by_id = {run.record.run: run for run in runs}
    found = {
        (cell.table, run): Summarised(cell.table, cell.dataset, cell.system or "", cell.x, by_id[run])
        for cell in cells
        for run in cell.runs
        if COUNT in by_id[run].record.fit.notes
    }
    return list(found.values())


def listings(rows: Sequence[Summarised]) -> list[Listing]:
    """One table in words for each table or figure that shows such runs."""
    return by_table(rows, _listing)


def flat(row: Summarised) -> dict[str, Any]:
    """The row as numbers."""
    place = {"table": row.table, "dataset": row.dataset, "system": row.system, "x": row.x}
    return place | {"seed": row.run.config.seed, "run": row.run.record.run, "by": _by(row.run)} | row.facts()


def _listing(table: str, rows: Sequence[Summarised]) -> Listing:
    names = list(dict.fromkeys(name for row in rows for name in row.facts()))
    value_heading = () if rows[0].x is None else ("value",)
    return Listing(
        f"Summaries, {title(table)}",
        CAPTION,
        ("data set", "system", *value_heading, "seed", "by", *map(_heading, names)),
        tuple(
            (
                row.dataset,
                row.system,
                *(() if row.x is None else (str(row.x),)),
                str(row.run.config.seed),
                _by(row.run),
                *(_number(row.facts().get(name)) for name in names),
            )
            for row in rows
        ),
    )


def _by(run: Run) -> str:
    return str(run.config.settings.get("summarizer", ""))


def _heading(name: str) -> str:
    short = name.removeprefix(f"{COUNT}_").removeprefix("summary_").removeprefix("share_of_").removeprefix("with_")
    return short.replace("_", " ")


def _number(value: float | int | str | None) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else f"{value:,}"
