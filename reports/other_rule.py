"""The table of what other rules would have printed: for ties, and without targets in their own history."""

from collections.abc import Sequence
from typing import Any

from harness.other_rule import OtherRule
from reports.listing import Listing, by_table
from reports.table import title

CAPTION = (
    "Where a target has the score of other candidates, the table above counts it last of them, the authors' evaluation "
    "({estimator}) first, so that a constant scorer would rank every target first, and tie-mean anywhere among them "
    "with equal chance. Tied: cases that hang on it. The last rule leaves out the cases whose target already stands in "
    "their own history. Each metric as the rule gives it, with what it adds in brackets."
)


def listings(rows: Sequence[OtherRule]) -> list[Listing]:
    """One table in words for each table whose authors have another rule."""
    return by_table(rows, _listing)


def flat(row: OtherRule) -> dict[str, Any]:
    """The row as numbers."""
    values = {label: other for label, (_, other) in row.values.items()}
    return row.model_dump(mode="json", exclude={"values"}) | values


def _listing(table: str, rows: Sequence[OtherRule]) -> Listing:
    return Listing(
        f"Ties and repeated targets, {title(table)}",
        CAPTION.format(estimator=rows[0].estimator),
        ("data set", "system", "cases", "tied", "rule", *rows[0].values),
        tuple(
            (
                row.dataset,
                row.system,
                f"{row.queries:,}",
                "" if row.tied is None else f"{row.tied:,}",
                row.estimator,
                *(f"{other:.4f} ({other - exact:+.4f})" for exact, other in row.values.values()),
            )
            for row in rows
        ),
    )
