"""The claims table: what a paper says is better, and what its cells and the runs say of it."""

from collections.abc import Sequence

from harness.claims import ClaimRow
from harness.paired.pvalue import as_text
from reports.listing import Listing

HEADINGS = (
    "claim",
    "made in",
    "published",
    "p that its cells allow",
    "as printed",
    "here",
    "p (Holm)",
    "80 % power from",
    "power",
    "users needed",
    "in these runs",
)
CAPTION = (
    "Each claim cell by cell, against the best of the others as printed. As printed: what the cells alone decide, from "
    "the smallest and largest p that any outcomes with these cells give (exact for Recall, outer bounds for MRR and "
    "NDCG; a column declared to hold batch means is read so, and bounds its Recalls alone). Here: the same difference "
    "in these runs on exact means; power: the chance that these users find a true difference of the published size at "
    "5 %, before correction; 80 % power from: the smallest difference that has it; users needed: for the published one "
    "to have it. A run with another backbone or budget judges that run, not the paper's system: its cell's verdict "
    "stands in brackets."
)


def listing(rows: Sequence[ClaimRow]) -> Listing | None:
    """The table in words, or None without claims."""
    if not rows:
        return None
    return Listing("Claims", CAPTION, HEADINGS, tuple(_line(row) for row in rows))


def _line(row: ClaimRow) -> tuple[str, ...]:
    ran = row.difference is not None
    return (
        f"{row.dataset}: {row.system} beats {row.rival}, {row.metric}",
        f"{row.where}, table {row.table}",
        f"{row.published_difference:+.4f}",
        "-" if row.p_low is None or row.p_high is None else f"{as_text(row.p_low)} to {as_text(row.p_high)}",
        row.printed,
        f"{row.difference:+.4f}" if ran else "-",
        f"{as_text(row.p)} ({as_text(row.p_holm)})" if ran else "-",
        "-" if row.mde_80 is None else f"{row.mde_80:.4f}",
        "-" if row.power is None else f"{row.power:.2f}",
        "-" if row.n_needed is None else f"{row.n_needed:,}",
        row.here if row.here == "not run" else f"{row.here} ({row.verdict})",
    )
