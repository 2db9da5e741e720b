"""The paper's own system against each other row of a table: which differences are real, and what could have been seen.

All such tests of a table, over its data sets and metrics, are one family; rows that the harness adds to a paper's are a
family of their own. Tests are claims about other users, so they use the exact mean, whatever a column's estimator.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from harness.config import Strict
from harness.evidence import Evidence, draw
from harness.metrics import Place
from harness.paired.comparison import Comparison, Side, compare
from harness.paired.power import ALPHA, power, queries_needed

Heading = tuple[str, str]  # of a column: data set and system, as printed


class CellTest(Strict):
    """What is said of one cell against the paper's own system.

    Attributes:
        comparison: the paper's own system (``a``) less the cell's (``b``).
        added: whether the system is one that the harness adds to the paper's.
        ordered: whether the cell's system stands with the runs whose lists the paper's own ordered, whatever runs its
            column shows: against any others, what seeds and budgets do to lists would be taken for the ranker's doing.
        profiles: of the two systems' runs.
        published_difference: the same difference as published; None where a number is missing.
        published_power: the chance that a test with these queries finds a true difference of that size.
        published_n_needed: the queries that 80 % power for it would need.
    """

    comparison: Comparison
    added: bool
    ordered: bool
    profiles: tuple[str, str]
    published_difference: float | None
    published_power: float | None
    published_n_needed: int | None

    def finding(self) -> Literal["better", "worse", "open"]:
        """Whether the paper's own system is better or worse than this one, at 5 % after correction."""
        if self.comparison.p_holm > ALPHA:
            return "open"
        return "better" if self.comparison.difference > 0 else "worse"


def significance(
    columns: Mapping[Heading, Evidence],
    own: str,
    published: Mapping[tuple[str, str, Place], float | None],
    wanted: Sequence[Place],
    retrievers: Mapping[str, Evidence],
) -> dict[tuple[str, str, Place], CellTest]:
    """Test every column that was run against the paper's own system on the same data.

    Args:
        columns: what was run, by data set and system.
        own: the paper's own system, as printed.
        published: the table's numbers; systems without any are added rows.
        wanted: the table's metrics.
        retrievers: by data set, the runs whose lists the paper's own system ordered (:func:`harness.evidence.ordered`).

    Returns:
        (data set, system, metric and cut-off) -> test; what cannot be paired is left out.
    """
    printed = {system for (_, system, _), value in published.items() if value is not None}
    found: dict[tuple[str, str, Place], CellTest] = {}
    for in_paper in (True, False):
        family = [column for column in columns if column[1] != own and (column[1] in printed) == in_paper]
        rivals = {column: _rival(columns[column], retrievers.get(column[0], Evidence())) for column in family}
        pairs = {
            (dataset, system): both
            for (dataset, system), rival in rivals.items()
            if (own_runs := columns.get((dataset, own))) and (both := pair(own, own_runs, system, rival))
        }
        if not pairs:
            continue
        seed = columns[next(iter(pairs))[0], own].runs[0].config.seed
        tests = iter(compare(list(pairs.values()), wanted, seed))
        for dataset, system in pairs:
            rival = rivals[dataset, system]
            profiles = (_profile(columns[dataset, own]), _profile(rival))
            for at in wanted:
                gap = _gap(published.get((dataset, own, at)), published.get((dataset, system, at)))
                row = next(tests)
                found[dataset, system, at] = CellTest(
                    comparison=row,
                    added=not in_paper,
                    ordered=rival is not columns[dataset, system],
                    profiles=profiles,
                    published_difference=gap,
                    published_power=None if gap is None else power(gap, row.deviation, row.queries),
                    published_n_needed=None if gap is None else queries_needed(gap, row.deviation),
                )
    return found


def pair(name_a: str, a: Evidence, name_b: str, b: Evidence) -> tuple[Side, Side] | None:
    """Both systems' outcomes; where users depend on the seed, those of the first seed that both have.

    None where something was not run, or on other data, for another task or for other users.
    """
    if not a.runs or not b.runs or _data(a) != _data(b) or a.runs[0].config.task != b.runs[0].config.task:
        return None
    if a.finders:
        shared = [seed for seed in _seeds(a) if seed in _seeds(b)]
        if not shared:
            return None
        a, b = (each.only(shared[0]) for each in (a, b))
    asked = {tuple(np.sort(one.query)) for one in (*a.outcomes, *b.outcomes)}
    return (_side(name_a, a), _side(name_b, b)) if len(asked) == 1 else None


def _rival(shown: Evidence, ordered: Evidence) -> Evidence:
    """What the paper's own system is held against: a column as it is shown, but its retriever as it was ordered."""
    systems = {run.config.system for run in (*shown.runs, *ordered.runs)}
    return ordered if shown.runs and ordered.runs and len(systems) == 1 else shown


def _side(name: str, evidence: Evidence) -> Side:
    return Side(name, evidence.outcomes, tuple(draw(run) for run in evidence.runs))


def _data(evidence: Evidence) -> set[str]:
    return {source.sha256 for run in evidence.runs for source in run.record.data}


def _seeds(evidence: Evidence) -> list[int]:
    return [run.config.seed for run in evidence.runs]


def _gap(own: float | None, other: float | None) -> float | None:
    return None if own is None or other is None else own - other


def _profile(evidence: Evidence) -> str:
    return evidence.runs[0].config.profile
