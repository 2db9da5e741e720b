"""The table of variants: what one change of the procedure does to a column, over the same users and seeds."""

from collections.abc import Sequence
from typing import Any

from harness.paired.pvalue import as_text
from harness.resolve import as_assignments
from harness.variants import Variant
from reports.listing import Listing, by_table

CAPTION = (
    "{caption} None of these feeds a verdict. Exact means without and with the change, over the seeds that have both; "
    "the difference has its 95 % interval over users, with several seeds over users and seeds; p by the sign-flip "
    "test, with several seeds by the test over both, corrected by Holm over all rows that were run "
    "(docs/statistics.md)."
)
HEADINGS = ("data set", "system", "change", "metric", "published", "without", "with", "difference", "p", "seeds", "ran")


def listings(rows: Sequence[Variant], captions: dict[str, str]) -> list[Listing]:
    """One table in words for each table of variants.

    Args:
        rows: of all tables.
        captions: by the table's number.
    """
    return by_table(rows, lambda table, own: _listing(own, captions[table]))


def flat(row: Variant) -> dict[str, Any]:
    """The row as numbers."""
    tested = row.comparison.model_dump(mode="json", exclude={"metric", "a", "b"}) if row.comparison else {}
    return row.model_dump(mode="json", exclude={"comparison", "change", "both"}) | {"change": _change(row)} | tested


def _listing(rows: Sequence[Variant], caption: str) -> Listing:
    """A line a metric, and one for a change that was not run."""
    lines = tuple(_line(row) for row in rows if row.comparison or row.metric == rows[0].metric)
    return Listing("Variants", CAPTION.format(caption=caption), HEADINGS, lines)


def _line(row: Variant) -> tuple[str, ...]:
    found, column = row.comparison, (row.dataset, row.system, _change(row))
    if found is None:
        return (*column, "", "", "", "not run", "", "", "", "")
    heading = (*column, row.metric, _number(row.published), _number(row.before))
    low, high = found.interval_deciding
    difference = f"{found.difference:+.4f} [{low:+.4f}, {high:+.4f}]"
    ran = ", ".join(filter(None, (row.profile, row.ran_dataset, row.backbone)))
    return (*heading, _number(row.after), difference, as_text(found.p_holm), str(found.seeds_a), ran)


def _change(row: Variant) -> str:
    change, both = map(as_assignments, (row.change, row.both))
    return f"{change} (both: {both})" if both else change


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
