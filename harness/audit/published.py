"""What a paper prints, typed: its cells, which table counts only some of the users of another, and its claims."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from harness.audit.finding import Strength
from harness.metrics import Place, metric_at
from harness.papers.claims import Beats, Claim
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable


@dataclass(frozen=True)
class Column:
    """The numbers of one method on one data set in one table.

    Attributes:
        users: over how many test users they are means; None where that is not stated.
        numbers: as printed, in the paper's order.
        estimator: how the paper's file declares them to have been averaged; the rules that look for averaging do
            without it.
        derived: what a number of users that is not stated was derived from; empty where it is stated.
    """

    table: str
    dataset: str
    method: str
    users: int | None
    numbers: dict[Place, str]
    estimator: str = "exact"
    derived: str = ""

    @property
    def where(self) -> tuple[str, str, str]:
        """Table, data set and method."""
        return self.table, self.dataset, self.method

    @property
    def batch(self) -> int | None:
        """How many users a batch has, where the column is declared to hold batch means."""
        return int(self.estimator.partition(":")[2]) if self.estimator.startswith("batch-mean:") else None

    def recalls(self) -> dict[int, str]:
        """Cut-off -> Recall."""
        return {place.k: number for place, number in self.numbers.items() if place.metric == "Recall"}


@dataclass(frozen=True)
class Subset:
    """A table over those users of another one whose target a retriever ranks among its first so many.

    Attributes:
        table, whole: the two tables.
        among: the length of the retriever's lists.
        contained: the methods that hit no other users at cut-offs up to ``among``: the retriever and its re-ranker.
    """

    table: str
    whole: str
    among: int
    contained: frozenset[str]


@dataclass(frozen=True)
class Published:
    """A paper's tables."""

    paper: str
    columns: tuple[Column, ...]
    subsets: tuple[Subset, ...] = ()
    claims: tuple[Claim, ...] = ()

    def compared(self, claim: Claim) -> Iterator[tuple[Column, list[Column]]]:
        """The column that a claim is about and those it is held against, for each data set."""
        for panel in self.panels():
            if panel[0].table == claim.table and panel[0].dataset in (claim.datasets or (panel[0].dataset,)):
                own = [column for column in panel if column.method == claim.system]
                others = [c for c in panel if c.method != claim.system and c.method in (claim.over or (c.method,))]
                if own and others:
                    yield own[0], others

    def contested(self) -> Iterator[tuple[Beats, Column, list[Column], Place]]:
        """Every cell of every claim that a system beats others: the claim, the system's column, its rivals' there."""
        for claim in self.claims:
            if isinstance(claim, Beats):
                for column, others in self.compared(claim):
                    for place in column.numbers:
                        if rivals := [other for other in others if place in other.numbers]:
                            yield claim, column, rivals, place

    def column(self, table: str, dataset: str, method: str) -> Column | None:
        """That column, if it is printed."""
        wanted = (table, dataset, method)
        return next((c for c in self.columns if (c.table, c.dataset, c.method) == wanted), None)

    def panels(self) -> Iterator[list[Column]]:
        """The columns that share table and data set."""
        grouped: dict[tuple[str, str], list[Column]] = {}
        for column in self.columns:
            grouped.setdefault((column.table, column.dataset), []).append(column)
        return iter(grouped.values())


def misfit(column: Column) -> Strength:
    """How strong it is that no ranks of a column's users give it; a derived number of users may be wrong itself."""
    return "suspicious" if column.derived else "inconsistent"


def best(rivals: Sequence[Column], place: Place) -> Column:
    """The column with the highest number, the first of equals."""
    return max(rivals, key=lambda rival: Fraction(rival.numbers[place]))


def of_paper(paper: Paper) -> Published:
    """The accuracy tables of a paper in ``harness/papers``.

    A table that is restricted to retrieved users has a number of users that no paper's file states, and belongs to the
    first unrestricted table that has all of its columns.
    """
    tables = {number: table for number, table in paper.tables.items() if isinstance(table, AccuracyTable)}
    columns = []
    for number, table in tables.items():
        for dataset in table.published:
            for method in table.systems(dataset):
                known = table.users is None and method not in table.quoted
                users = paper.datasets[dataset].test_users if known else None
                printed = {label: row[method] for label, row in table.published[dataset].items()}
                numbers = {metric_at(label): text for label, text in printed.items() if text}
                if numbers:
                    estimator = table.estimator(dataset, method)
                    columns.append(Column(number, dataset, method, users, numbers, estimator))
    subsets = []
    for number, table in tables.items():
        whole = next((n for n, other in tables.items() if other.users is None and _covers(other, table)), None)
        if table.users and whole:
            contained = frozenset({table.users.system, *table.users.rerankers})
            subsets.append(Subset(number, whole, table.users.among, contained))
    return Published(paper.id, tuple(columns), tuple(subsets), paper.claims)


def _covers(whole: AccuracyTable, part: AccuracyTable) -> bool:
    return all(whole.shows(dataset, method) for dataset in part.published for method in part.systems(dataset))
