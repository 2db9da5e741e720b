"""Tables computed honestly from random outcomes: exact means over n users, printed one way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import numpy as np
import numpy.typing as npt

from harness.audit.published import Column, Published, Subset
from harness.metrics import METRICS, Place
from harness.papers.claims import Beats, Claim, Improvement

Ranks = npt.NDArray[np.int64]
SYSTEMS = ("Retriever", "Ranker", "A", "B", "C")
CUTOFFS = (1, 3, 5, 10, 20)


@dataclass(frozen=True)
class Style:
    """How a table prints its means."""

    digits: int
    cut: bool
    single: bool  # precision of the sums

    def mean(self, ranks: Ranks, place: Place) -> float:
        values = METRICS[place.metric](ranks, place.k)
        return float(values.astype(np.float32).mean() if self.single else values.mean())

    def prints(self, value: float) -> str:
        if self.cut:
            value = math.floor(value * 10**self.digits) / 10**self.digits
        return f"{value:.{self.digits}f}"


def draw_ranks(rng: np.random.Generator, users: int) -> Ranks:
    """Ranks in a catalogue of some size: good, bad, constant or tied systems."""
    items = int(rng.integers(21, 2000))
    match rng.integers(5):
        case 0:
            ranks = rng.integers(1, items + 1, users)
        case 1:
            ranks = rng.zipf(1 + rng.random(), users)
        case 2:
            ranks = np.full(users, rng.integers(1, 30))
        case 3:
            ranks = rng.geometric(rng.uniform(0.01, 1), users)
        case _:
            block = rng.integers(1, 9)  # so many items share each score; ties count against the target
            ranks = -(-rng.integers(1, items + 1, users) // block) * block
    return np.minimum(ranks, items).astype(np.int64)


def rerank(rng: np.random.Generator, retrieved: Ranks, among: int) -> Ranks:
    """Another order of the retrieved items; users whose target was not retrieved keep their rank."""
    return np.where(retrieved <= among, rng.integers(1, among + 1, len(retrieved)), retrieved)


def columns(
    table: str, users: int | None, ranks: dict[str, Ranks], places: Sequence[Place], style: Style
) -> list[Column]:
    return [
        Column(table, "Set", name, users, {place: style.prints(style.mean(own, place)) for place in places})
        for name, own in ranks.items()
    ]


def draw(rng: np.random.Generator) -> tuple[Published, dict[str, Ranks], Style]:
    """A paper with a table over all users and, half the time, one over those whose target was retrieved."""
    users = round(math.exp(rng.uniform(math.log(2), math.log(3000))))
    style = Style(int(rng.integers(2, 7)), bool(rng.integers(2)), bool(rng.integers(2)))
    cutoffs = sorted(rng.choice(CUTOFFS, rng.integers(1, 4), replace=False).tolist())
    metrics = [metric for metric in METRICS if rng.random() < 0.8] or ["Recall"]
    places = [Place(metric, k) for metric in metrics for k in cutoffs]
    among = int(rng.choice((10, 20)))
    retrieved = draw_ranks(rng, users)
    ranks = {"Retriever": retrieved, "Ranker": rerank(rng, retrieved, among)}
    ranks |= {name: draw_ranks(rng, users) for name in SYSTEMS[2 : rng.integers(3, 6)]}
    printed = columns("1", users if rng.random() < 0.9 else None, ranks, places, style)
    subsets: list[Subset] = []
    inside = retrieved <= among
    if inside.any() and rng.random() < 0.5:
        part = {name: own[inside] for name, own in ranks.items()}
        printed += columns("3", None, part, places, style)
        subsets.append(Subset("3", "1", among, frozenset({"Retriever", "Ranker"})))
    claims = true_claims(printed, ranks, style) if rng.random() < 0.3 else []
    return Published("made-up", tuple(printed), tuple(subsets), tuple(claims)), ranks, style


def true_claims(printed: Sequence[Column], ranks: dict[str, Ranks], style: Style) -> list[Claim]:
    """Which of two beats the other in truth, and by how much, from the exact means or from the printed ones."""
    found: list[Claim] = []
    places = list(printed[0].numbers)
    exact = {name: [style.mean(own, place) for place in places] for name, own in ranks.items()}
    first = {column.method: [float(text) for text in column.numbers.values()] for column in printed[: len(ranks)]}
    for means in (exact, first):
        for name, own in means.items():
            others = [other for rival, other in means.items() if rival != name]
            best = [max(values) for values in zip(*others, strict=True)]
            if min(best) > 0:
                gain = 100 * sum(a / b - 1 for a, b in zip(own, best, strict=True)) / len(best)
                if gain >= 0:
                    percent = Style(2, style.cut, False).prints(gain)
                    found.append(Improvement(kind="improvement", where="text", table="1", system=name, percent=percent))
    for (a, own), (b, other) in list(permutations(exact.items(), 2))[:2]:
        if all(x > y for x, y in zip(own, other, strict=True)):
            found.append(Beats(kind="beats", where="text", table="1", system=a, over=(b,)))
    return found


def reach(text: str) -> tuple[Fraction, Fraction]:
    """The values that may stand behind digits, rounded or cut, with the error of single precision."""
    value, unit = Fraction(text), Fraction(1, 10 ** len(text.partition(".")[2]))
    slack = Fraction(1, 10**5)
    return (value - unit / 2) - slack * (value + unit / 2), (value + unit) * (1 + slack)
