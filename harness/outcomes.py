"""What is kept of every answered query; all metrics, intervals, tests and tables come from this."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import InputError

Ints = npt.NDArray[np.int64]
COLUMNS = ("query", "rank", "ties", "asked")


@dataclass(frozen=True)
class Outcomes:
    """Ranking outcomes in evaluation order, all of shape [query].

    Attributes:
        query: the query's id (the user's dense id).
        rank: 1-based rank of the target, ties counted against it.
        ties: how many other candidates share the target's score.
        asked: whether the system scored the query; False where the task withheld it from a
            re-ranker because the target was not retrieved, and the rank is the retriever's.
    """

    query: Ints
    rank: Ints
    ties: Ints
    asked: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.query)

    def take(self, mask: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Outcomes":
        """The queries where ``mask`` (shape [query]) holds, or those at the given places, in their order."""
        return Outcomes(self.query[mask], self.rank[mask], self.ties[mask], self.asked[mask])

    def among(self, queries: Ints) -> "Outcomes":
        """Those of the given queries that are here, in their order here."""
        return self.take(np.isin(self.query, queries))


def write(outcomes: Outcomes, path: Path) -> None:
    """Write a parquet file with 32-bit integers."""
    table = pa.table(
        {
            "query": pa.array(outcomes.query, pa.uint32()),
            "rank": pa.array(outcomes.rank, pa.uint32()),
            "ties": pa.array(outcomes.ties, pa.uint32()),
            "asked": pa.array(outcomes.asked, pa.bool_()),
        }
    )
    pq.write_table(table, path, compression="zstd")


def read(path: Path) -> Outcomes:
    """Read what :func:`write` wrote.

    Raises:
        InputError: the file is no parquet file or lacks a column.
    """
    try:
        table = pq.read_table(path, columns=list(COLUMNS))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not an outcomes file ({reason}); expected columns {', '.join(COLUMNS)}") from None
    query, rank, ties = (table[name].to_numpy().astype(np.int64) for name in COLUMNS[:3])
    return Outcomes(query, rank, ties, table["asked"].to_numpy().astype(bool))
