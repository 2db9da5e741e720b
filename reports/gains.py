"""The table of gains: what a language model adds over simpler systems, and what that takes for one user."""

from collections.abc import Sequence
from typing import Any

from harness.gains import Gain
from harness.paired.pvalue import as_text
from reports.costs import number
from reports.listing import Listing, by_table
from reports.table import title

CAPTION = (
    "Differences in these runs, ties counted as the mean over their orders (tie-mean, not the table's ties against the "
    "target, which would put a floor of many ties below chance), with 95 % intervals over users and p by the sign-flip "
    "test, corrected by Holm over all gains of the table. Tokens, seconds and joules are for one user: those of "
    "summarising (read + written, also of summaries found in the cache) and of asking about all candidates, whose "
    "shared beginning counts once, on the machines of the runs; joules are a GPU's."
)
SUMMARY, ASKING = "summary_{}_per_history", "asking_{}_per_case"


def listings(rows: Sequence[Gain]) -> list[Listing]:
    """One table in words for each table or figure that has gains."""
    return by_table(rows, _listing)


def flat(row: Gain) -> dict[str, Any]:
    """The row as numbers."""
    tested = row.comparison.model_dump(mode="json", exclude={"metric", "a", "b"}) if row.comparison else {}
    return row.model_dump(mode="json", exclude={"comparison", "costs"}) | tested | row.costs


def _listing(table: str, rows: Sequence[Gain]) -> Listing:
    over = list(dict.fromkeys(row.over for row in rows))
    lines: dict[tuple[str, ...], dict[str | int, Gain]] = {}
    for row in rows:
        value = () if row.x is None else (str(row.x),)
        lines.setdefault((row.dataset, row.system, *value, row.metric), {})[row.over] = row
    value_heading = () if rows[0].x is None else ("value",)
    return Listing(
        f"Gains and costs, {title(table)}",
        CAPTION,
        ("data set", "system", *value_heading, "metric", *(f"over {name}" for name in over), "tokens", "s", "J"),
        tuple(
            (*key, *(_gain(found.get(name)) for name in over), *_costs(next(iter(found.values())).costs))
            for key, found in lines.items()
        ),
    )


def _gain(row: Gain | None) -> str:
    if row is None:
        return ""
    if row.comparison is None:
        return "other queries" if row.ran else "not run"
    found = row.comparison
    return f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}], p {as_text(found.p_holm)}"


def _costs(costs: dict[str, float]) -> tuple[str, str, str]:
    read, written = costs.get(SUMMARY.format("tokens_read")), costs.get(SUMMARY.format("tokens_written"))
    parts = [
        ((read or 0) + (written or 0) if read is not None else None, costs.get(ASKING.format("tokens"))),
        *((costs.get(SUMMARY.format(unit)), costs.get(ASKING.format(unit))) for unit in ("seconds", "joules")),
    ]
    tokens, seconds, joules = (
        "" if asking is None else " + ".join(number(part) for part in (summary, asking) if part is not None)
        for summary, asking in parts
    )
    return tokens, seconds, joules
