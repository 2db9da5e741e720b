"""The table of the cost of serving: what ranking by one forward pass takes as one thing grows."""

from collections.abc import Sequence
from typing import Any

from harness.costs.kept import KeptCost
from harness.costs.serving import grows
from reports.costs import checkpoint, number, percentiles
from reports.listing import Listing

TITLE = "Cost of serving"
HEADINGS = (
    "model",
    "on",
    "grows",
    "history",
    "candidates",
    "batch",
    "p50 / p90 / p99, ms",
    "times the floor",
    "requests/s",
    "retriever",
    "MiB",
    "J / 1,000 requests",
)
LEGEND = (
    "The first row of a model is the point in which its lines meet. Latency and requests per second are of the ranking "
    "alone; retriever: its share of the time of retrieval and ranking, of a finished run's system over the whole "
    "catalogue for as many users. A percentile that the timings cannot carry stays empty; *: others used the machine "
    "meanwhile. The floor is the least time of arithmetic and memory traffic, at ceilings measured in the same process."
)


def listing(caption: str, costs: Sequence[KeptCost]) -> Listing | None:
    """The table in words, or None without costs."""
    return Listing(TITLE, f"{caption} {LEGEND}", HEADINGS, tuple(map(_line, costs))) if costs else None


def flat(kept: KeptCost) -> dict[str, Any]:
    """The row as numbers."""
    retrieval = kept.retrieval
    return (
        {"machine": kept.machine, "grows": grows(kept.cost)}
        | kept.cost.row()
        | {
            "energy_of_1000_requests_j": kept.cost.energy_of_1000_requests_j,
            "retriever_run": retrieval and retrieval.run,
            "retriever_ms": retrieval and retrieval.p50_ms,
            "retriever_share": kept.retriever_share,
            "retriever_busy": retrieval and retrieval.whole.busy,
        }
        | kept.model_dump(include={"point", "titles", "started_at", "git_sha", "dirty"})
    )


def _line(kept: KeptCost) -> tuple[str, ...]:
    cost, share = kept.cost, kept.retriever_share
    return (
        checkpoint(cost),
        kept.machine,
        grows(cost) or "",
        str(cost.history),
        str(cost.candidates),
        str(cost.batch),
        percentiles(cost) + ("*" if cost.whole.busy else ""),
        f"{cost.p50_ms / cost.floor_ms:.2f}",
        number(cost.requests_per_s),
        "" if share is None else f"{share:.1%}{'*' if kept.retrieval and kept.retrieval.whole.busy else ''}",
        "" if cost.whole.peak_bytes is None else f"{cost.whole.peak_bytes / 2**20:.0f}",
        number(cost.energy_of_1000_requests_j),
    )
