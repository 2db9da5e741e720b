"""How large a difference is, in ways that do not grow with the number of queries."""

from dataclasses import dataclass

from harness.paired.differences import Differences


@dataclass(frozen=True)
class Effect:
    """One metric's.

    Attributes:
        d: mean over standard deviation of the paired differences (Cohen 1988, section 2.3.5); 0 where all are 0, None
            where all are the same and not 0, or there is one query.
        superiority: share of queries on which the first system is better, ties counted half.
        wins, ties, losses: queries on which it is better, equal, worse.
    """

    d: float | None
    superiority: float
    wins: int
    ties: int
    losses: int


def effects(differences: Differences) -> list[Effect]:
    """The effect sizes of each metric."""
    found = []
    for column, mean, deviation in zip(differences.value.T, differences.mean(), differences.deviation(), strict=True):
        wins, losses = (int(differences.count[side].sum()) for side in (column > 0, column < 0))
        ties = len(differences) - wins - losses
        d = None
        if mean == 0:
            d = 0.0
        elif deviation:
            d = float(mean / deviation)
        found.append(Effect(d, (wins + ties / 2) / len(differences), wins, ties, losses))
    return found
