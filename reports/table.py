"""Cells to a neutral grid of texts, which every format prints in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.cell import Cell
from harness.papers.paper import Paper, Table
from harness.store import Run
from reports.foot import SHORT, commit, foot
from reports.footnotes import Footnotes, footnotes
from reports.notes import notes

Place = Literal["best", "second"]
DIGITS = 4
INTERVAL_LETTER = {"seeds": "s", "users": "u"}
DAGGERS = {"better": "†", "worse": "‡", "open": ""}
SIZE_FORMAT = {"Length": ".2f", "Density": ".2e"}


@dataclass(frozen=True)
class Entry:
    """One cell in words.

    Attributes:
        mean: the reproduced mean, or ``not run``.
        mark: a dagger where the paper's own system is significantly better, two where it is worse, or empty.
        difference: signed difference from the published value, or empty.
        place: best or second of its row and data set, by the exact mean.
        lines: what stands under the mean: interval, exact mean, published value.
        verdict: the verdict, or empty where ``mean`` already says it.
        hint: runs, commits and commands behind the number.
    """

    mean: str
    mark: str
    difference: str
    place: Place | None
    lines: tuple[str, ...]
    verdict: str
    hint: str


@dataclass(frozen=True)
class Block:
    """The columns of one data set; a table of statistics is one block without a heading."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: e.g. ``Table 1``.
        caption: what it shows.
        corner: what the rows are.
        blocks: side by side in a wide format, stacked in a narrow one; their rows have equal labels.
        foot: what the numbers depend on, as (name, text).
        notes: sentences that belong under the table.
        runs: the runs behind it, one a line; the first line names the columns.
    """

    title: str
    caption: str
    corner: str
    blocks: tuple[Block, ...]
    foot: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    runs: tuple[tuple[str, ...], ...]


def grid(paper: Paper, table: str, cells: Sequence[Cell], runs: Sequence[Run], command: str) -> Grid:
    """Arrange a table as the paper does.

    Args:
        paper: the paper.
        table: its table's number.
        cells: the cells of this table.
        runs: all runs there are.
        command: what rebuilds the table from these runs.
    """
    spec, found = paper.table(table), footnotes(paper.id, table)
    by_id = {run.record.run: run for run in runs}
    shown = [by_id[run] for run in dict.fromkeys(run for cell in cells for run in cell.runs)]
    return Grid(
        title=title(table),
        caption=spec.caption,
        corner=_corner(spec),
        blocks=(_statistics_block(cells, by_id),) if spec.kind == "statistics" else _blocks(cells, by_id, found),
        foot=foot(paper, table, cells, shown, command),
        notes=(*notes(cells, shown, by_id), *found.sentences()),
        runs=_provenance(shown),
    )


def title(table: str) -> str:
    """What a table or figure is called over it, e.g. ``Table 1`` or ``Figure 9``."""
    number = table.removeprefix("figure")
    return f"Table {number}" if number == table else f"Figure {number}"


def _corner(spec: Table) -> str:
    match spec.kind:
        case "accuracy":
            return "metric"
        case "sweep":
            return spec.setting
        case "statistics" | "cost" | "serving" | "variants":
            return "data set"


def _label(cell: Cell) -> str:
    metric = f"{cell.metric}@{cell.k}"
    return metric if cell.x is None else f"{cell.x}: {metric}"


def _blocks(cells: Sequence[Cell], by_id: dict[str, Run], found: Footnotes) -> tuple[Block, ...]:
    blocks = []
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        own = [cell for cell in cells if cell.dataset == dataset]
        rows = []
        for label in dict.fromkeys(map(_label, own)):
            row = [cell for cell in own if _label(cell) == label]
            ranked = zip(row, places(row), strict=True)
            entries = (_entry(cell, place, by_id, found.mark(cell)) for cell, place in ranked)
            rows.append((label, tuple(entries)))
        columns = tuple(dict.fromkeys(cell.system or "" for cell in own))
        blocks.append(Block(dataset, columns, tuple(rows)))
    return tuple(blocks)


def _statistics_block(cells: Sequence[Cell], by_id: dict[str, Run]) -> Block:
    rows = []
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        rows.append((dataset, tuple(_entry(cell, None, by_id) for cell in cells if cell.dataset == dataset)))
    return Block("", tuple(dict.fromkeys(cell.metric for cell in cells)), tuple(rows))


def places(row: Sequence[Cell]) -> list[Place | None]:
    """Best and second of a row by the exact mean, as printed; equal numbers share a place.

    Nothing is marked where fewer than two systems were run.
    """
    values = [None if cell.exact_mean is None else round(cell.exact_mean, DIGITS) for cell in row]
    ranked = sorted({value for value in values if value is not None}, reverse=True)
    if sum(value is not None for value in values) < 2:
        return [None] * len(row)
    names: dict[float | None, Place] = dict(zip(ranked, ("best", "second"), strict=False))
    return [names.get(value) for value in values]


def _entry(cell: Cell, place: Place | None, by_id: dict[str, Run], footnote: str = "") -> Entry:
    published = (f"paper {cell.printed}{footnote}",) if cell.printed else ()
    if cell.mean is None:
        return Entry("not run", "", "", None, published, "", "")
    lines = list(published)
    if cell.k is None:
        form = SIZE_FORMAT.get(cell.metric, ",.0f")
        return Entry(format(cell.mean, form), "", "", None, published, cell.verdict, _hint(cell, by_id))
    if cell.estimator != "exact":
        lines.insert(0, f"exact {cell.exact_mean:.{DIGITS}f}")
    if cell.interval:
        lines.insert(0, f"[{cell.low:.{DIGITS}f}, {cell.high:.{DIGITS}f}] {INTERVAL_LETTER[cell.interval]}")
    if cell.predict_high is not None and cell.predict_low is not None:
        lines.insert(1, f"next run \u00b1{(cell.predict_high - cell.predict_low) / 2:.{DIGITS}f}")
    difference = "" if cell.difference is None else f"{cell.difference:+.{DIGITS}f}"
    mark = DAGGERS[cell.test.finding()] if cell.test else ""
    return Entry(f"{cell.mean:.{DIGITS}f}", mark, difference, place, tuple(lines), cell.verdict, _hint(cell, by_id))


def _hint(cell: Cell, by_id: dict[str, Run]) -> str:
    commands = dict.fromkeys(by_id[run].record.command for run in cell.runs)
    commit = ", ".join(sha[:SHORT] for sha in cell.commits) or "unknown"
    dirty = " (dirty tree)" if cell.dirty else ""
    return f"{'; '.join(commands)} | commit {commit}{dirty} | runs {', '.join(cell.runs)}"


def _provenance(runs: Sequence[Run]) -> tuple[tuple[str, ...], ...]:
    heading = ("run", "system", "data set", "profile", "seed", "steps", "time, s", "on", "commit", "command")
    lines = [
        (
            run.record.run,
            run.config.system,
            run.config.dataset,
            run.config.profile,
            str(run.config.seed),
            str(run.record.fit.steps),
            _seconds(run),
            run.machine,
            commit(run),
            run.record.command,
        )
        for run in runs
    ]
    return (heading, *lines)


def _seconds(run: Run) -> str:
    """What a run took; records of resumed runs once had the time of the last part alone."""
    last_part = run.record.resumed and run.record.fit.elapsed_s is None
    return f"{'over ' if last_part else ''}{run.record.wall_s:.1f}"
