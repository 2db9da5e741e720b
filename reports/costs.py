"""The table of costs: what a way to rank takes, beside how good it is and the least that it could take."""

from collections.abc import Sequence
from typing import Any

from harness.costs.rows import CostRow
from harness.llm.ranking_cost import RankingCost
from reports.listing import Listing

HEADINGS = (
    "checkpoint",
    "on",
    "method",
    "prompt",
    "batch",
    "n",
    "p50 / p90 / p99, ms",
    "prefill, ms",
    "tokens",
    "times the floor",
    "MiB",
    "J",
    "NDCG@10",
    "named / unparsed / invented",
    "tuned for",
)
LEGEND = (
    "One row a checkpoint, prompt and method. Prompt: items of the history and candidates, and tokens of a title. "
    "Times, MiB and J are a whole batch's; tokens: written behind a prompt; a few are a list that soon ended. n: "
    "timings; a percentile that they cannot carry stays empty; *: others used the machine meanwhile. The floor is the "
    "least time of arithmetic and memory traffic, at ceilings measured in the same process. NDCG@10: of the "
    "checkpoint asked so of items by their own titles, whatever length of title is timed and whatever only makes the "
    "writing faster, with its 95 % interval over the users asked, for each of whom the retriever found the target. "
    "Named: candidates that a list of theirs names; unparsed: its entries that are only the beginning of one's text; "
    "invented: those that are nothing of the sort; means. Tuned for: the way to rank that the adapter, merged into the "
    "weights, was tuned for."
)


def listing(title: str, caption: str, rows: Sequence[CostRow]) -> Listing | None:
    """The table in words, or None without costs."""
    return Listing(title, f"{caption} {LEGEND}", HEADINGS, tuple(map(_line, rows))) if rows else None


def flat(row: CostRow) -> dict[str, Any]:
    """The row as numbers."""
    accuracy = row.model_dump(exclude={"table", "cost"})
    kept = row.cost.model_dump(include={"point", "titles", "started_at", "git_sha", "dirty"})
    return {"table": row.table, "machine": row.cost.machine} | row.cost.cost.row() | accuracy | kept


def _line(row: CostRow) -> tuple[str, ...]:
    cost = row.cost.cost
    whole = cost.whole
    return (
        checkpoint(cost),
        row.cost.machine,
        cost.method,
        f"{cost.history} + {cost.candidates} of {cost.title_tokens:.0f}",
        str(cost.batch),
        f"{len(whole.timings_ms)}{'*' if whole.busy else ''}",
        percentiles(cost),
        number(cost.prefill_ms),
        f"{cost.tokens:.0f}",
        f"{cost.p50_ms / cost.floor_ms:.2f}",
        "" if whole.peak_bytes is None else f"{whole.peak_bytes / 2**20:.0f}",
        "" if whole.energy_j is None else f"{whole.energy_j:.2f}",
        _accuracy(row),
        "" if row.named is None else f"{row.named:.1f} / {row.unparsed:.1f} / {row.invented:.1f}",
        row.tuned_for or "",
    )


def checkpoint(cost: RankingCost) -> str:
    """The checkpoint and the numbers that it computes in."""
    of_run = "" if cost.bare else f" of run {cost.checkpoint[:8]}"
    return f"{backbone(cost)}{of_run}"


def backbone(cost: RankingCost) -> str:
    """The backbone and the numbers that it computes in."""
    return f"{cost.model.name}, {cost.model.dtype}" + (", nf4" if cost.model.quantisation == "nf4" else "")


def percentiles(cost: RankingCost) -> str:
    """p50, p90 and p99 in ms, as many as the timings carry."""
    return " / ".join(number(cost.whole.percentile_ms(which)) for which in (50, 90, 99)).rstrip(" /")


def number(value: float | None) -> str:
    """Three digits or more; empty where there is none."""
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _accuracy(row: CostRow) -> str:
    if row.ndcg is None:
        return f"- ({row.why_none})"
    return f"{row.ndcg:.4f} [{row.low:.4f}, {row.high:.4f}] of {row.users}"
