"""Rule ``coverage``: a table over some of the users against the table over all of them.

With m of n users in the subset, a method that hits nobody else has n * whole = m * subset in every metric, under the
exact estimator; any other has n * whole >= m * subset. All methods of a data set share one m.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from harness.audit import two_tables
from harness.audit.finding import Finding, decimal, spell
from harness.audit.printed import Interval, either, hits
from harness.audit.published import Column, Published, Subset
from harness.metrics import Place


@dataclass(frozen=True)
class Pair:
    """One method's columns on one data set: over all users, and over the subset.

    Attributes:
        places: where both print a number that the subset speaks of.
    """

    whole: Column
    part: Column
    places: tuple[Place, ...]

    def numbers(self, place: Place) -> tuple[str, str]:
        """The number over all users, and over the subset."""
        return self.whole.numbers[place], self.part.numbers[place]

    def recalls(self) -> list[Place]:
        """The places of Recalls."""
        return [place for place in self.places if place.metric == "Recall"]

    def bounds(self, place: Place, users: int) -> Interval:
        """How many users the subset has if it holds all the hits, by that place alone."""
        whole, part = map(either, self.numbers(place))
        low = max(users * whole.low / part.high, Fraction(1))
        return Interval(low, min(users * whole.high / part.low, Fraction(users)) if part.low > 0 else Fraction(users))

    def sizes(self, users: int) -> list[int]:
        """How many users the subset may have if it holds all the hits."""
        bounds = [self.bounds(place, users) for place in self.places]
        low, high = max(each.low for each in bounds), min(each.high for each in bounds)
        return [size for size in range(ceil(low), floor(high) + 1) if self._has_hits(users, size)]

    def sizes_by_any(self, users: int) -> range:
        """From the smallest to the largest size that some place needs."""
        bounds = [self.bounds(place, users) for place in self.places]
        return range(floor(min(each.low for each in bounds)), ceil(max(each.high for each in bounds)) + 1)

    def _has_hits(self, users: int, size: int) -> bool:
        """Whether the same whole number of hits gives each Recall in both tables."""
        recalls = map(self.numbers, self.recalls())
        return all(_shared(hits(either(whole), users), hits(either(part), size)) for whole, part in recalls)


@dataclass(frozen=True)
class Covered:
    """A data set in a subset's table and in the whole one.

    Attributes:
        users: how many there are.
        pairs: method -> its columns.
        allowed: contained method -> how many users its columns allow in the subset.
    """

    subset: Subset
    dataset: str
    users: int
    pairs: dict[str, Pair]
    allowed: dict[str, list[int]]

    @property
    def sizes(self) -> list[int]:
        """What all contained methods allow that allow anything."""
        some = [set(sizes) for sizes in self.allowed.values() if sizes]
        return sorted(set.intersection(*some)) if some else []


def check(published: Published) -> Iterator[Finding]:
    """A finding for every method, and every data set, that no number of users in the subset gives."""
    for covered in _covered(published):
        yield from _contained(published.paper, covered)
        for method, pair in covered.pairs.items():
            if covered.sizes and method not in covered.subset.contained:
                yield from _others(published.paper, covered, pair)


def with_derived_users(published: Published) -> Published:
    """The same tables, with a subset's number of users filled in where coverage leaves only one."""
    found = {(c.subset.table, c.dataset): c for c in _covered(published) if len(c.sizes) == 1}
    columns = (_derived(c, found.get((c.table, c.dataset))) for c in published.columns)
    return replace(published, columns=tuple(columns))


def _derived(column: Column, covered: Covered | None) -> Column:
    if not covered or column.users:
        return column
    exact = ", ".join(method for method, sizes in covered.allowed.items() if sizes)
    other = ", ".join(method for method, sizes in covered.allowed.items() if not sizes)
    derived = f"by coverage, if {exact} is exact" + (f", which {other} cannot be" if other else "")
    return replace(column, users=covered.sizes[0], derived=derived)


def _covered(published: Published) -> Iterator[Covered]:
    for subset in published.subsets:
        for panel in published.panels():
            pairs = {}
            for part in panel if panel[0].table == subset.table else ():
                whole = published.column(subset.whole, part.dataset, part.method)
                places = tuple(p for p in part.numbers if whole and p in whole.numbers and p.k <= subset.among)
                if whole and places:
                    pairs[part.method] = Pair(whole, part, places)
            users = next((pair.whole.users for pair in pairs.values()), None)
            if users:
                allowed = {m: pair.sizes(users) for m, pair in pairs.items() if m in subset.contained}
                yield Covered(subset, panel[0].dataset, users, pairs, allowed)


def _contained(paper: str, covered: Covered) -> Iterator[Finding]:
    """The methods that hit only users of the subset, one by one and together."""
    table, users = covered.subset.table, covered.users
    for method, sizes in covered.allowed.items():
        if not sizes:
            detail = _no_size(covered.pairs[method], users, covered.sizes)
            yield Finding("coverage", "inconsistent", paper, table, covered.dataset, method, None, None, detail)
    fitting = {method: sizes for method, sizes in covered.allowed.items() if sizes}
    if not fitting:
        return
    each = ", ".join(f"{spell(sizes)} by {method}" for method, sizes in fitting.items())
    if covered.sizes:
        detail = f"of the {users} users of table {covered.subset.whole} it counts {spell(covered.sizes)} ({each})"
        yield Finding("coverage", "note", paper, table, covered.dataset, None, None, None, detail)
        return
    detail = f"no one number of the {users} users of table {covered.subset.whole} gives all columns exactly: {each}"
    for method in fitting:
        others = sorted({size for other in fitting if other != method for size in fitting[other]})
        pair = covered.pairs[method]
        detail += f". {method} over {spell(others)}: {two_tables.explained(pair.whole, pair.part, users, others)}"
    yield Finding("coverage", "inconsistent", paper, table, covered.dataset, None, None, None, detail)


def _no_size(pair: Pair, users: int, sizes: Sequence[int]) -> str:
    """Why no size serves all places of a contained method, and what else gives its Recalls."""
    most = max(pair.places, key=lambda place: pair.bounds(place, users).low)
    least = min(pair.places, key=lambda place: pair.bounds(place, users).high)
    low, high = pair.bounds(most, users).low, pair.bounds(least, users).high
    needs = f"{_ratio(pair, most)} needs at least {float(low):.2f}, {_ratio(pair, least)} at most {float(high):.2f}"
    for size in range(ceil(low), floor(high) + 1):
        needs += f"; of {size}, {_no_hits(pair, users, size)}"
    over = f"over the {spell(sizes)} that the others allow, " if sizes else ""
    explained = two_tables.explained(pair.whole, pair.part, users, sizes or pair.sizes_by_any(users))
    return f"no number of the {users} users gives both tables exactly: {needs}. Other estimators: {over}{explained}"


def _ratio(pair: Pair, place: Place) -> str:
    return f"{place} {'/'.join(pair.numbers(place))}"


def _no_hits(pair: Pair, users: int, size: int) -> str:
    """The first Recall that no hits give in both tables, with the hits that each allows."""
    for place in pair.recalls():
        whole, part = pair.numbers(place)
        counts = hits(either(whole), users), hits(either(part), size)
        if not _shared(*counts):
            below = floor(Fraction(part) * size)
            near = ", ".join(f"{count}/{size} = {decimal(Fraction(count, size), part)}" for count in (below, below + 1))
            return f"{place} {whole} means {spell(counts[0]) or 'no'} hits of {users}, {part} lies among {near}"
    raise AssertionError("some Recall excludes the size")


def _others(paper: str, covered: Covered, pair: Pair) -> Iterator[Finding]:
    """Numbers over all users that are below what even the smallest subset gives alone."""
    size, users = covered.sizes[0], covered.users
    for place in pair.places:
        whole, part = pair.numbers(place)
        if either(whole).high * users < either(part).low * size:
            alone = decimal(Fraction(part) * size / users, whole)
            detail = (
                f"{whole} over {users} users is below {part} * {size}/{users} = {alone}, "
                f"what the {size} users of table {covered.subset.table} give alone"
            )
            column = pair.whole
            where = (*column.where, place.metric, place.k)
            yield Finding("coverage", "inconsistent", paper, *where, detail)


def _shared(one: range, other: range) -> range:
    """The whole numbers that are in both."""
    return range(max(one.start, other.start), min(one.stop, other.stop))
