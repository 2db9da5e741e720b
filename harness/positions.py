"""Where the target stood among the candidates that a re-ranker was shown, and the score as a function of that."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness import metrics
from harness.llm.labels import LETTERS
from harness.outcomes import Ints
from harness.store import Run

FILE = "positions.parquet"
K = 10


def write(query: Ints, position: Ints, folder: Path) -> None:
    """Keep the asked queries' ids and the target's 1-based position in the order shown, both of shape [query]."""
    columns = {"query": pa.array(query, pa.uint32()), "position": pa.array(position, pa.uint16())}
    pq.write_table(pa.table(columns), folder / FILE, compression="zstd")


def by_position(run: Run) -> list[dict[str, str | int | float]]:
    """One row for each position at which a target stood: its letter in a prompt, users, mean metrics and mean rank."""
    outcomes = run.outcomes()
    asked = outcomes.take(outcomes.asked)
    position = pq.read_table(run.folder / FILE)["position"].to_numpy()
    rows: list[dict[str, str | int | float]] = []
    for place in np.unique(position).tolist():
        there = asked.take(position == place)
        rows.append(
            {
                "letter": LETTERS[place - 1] if place <= len(LETTERS) else "",
                "position": place,
                "users": len(there),
                f"NDCG@{K}": metrics.estimate(there, "NDCG", K),
                f"MRR@{K}": metrics.estimate(there, "MRR", K),
                "mean_rank": float(there.rank.mean()),
            }
        )
    return rows
