"""All that is said of two systems that answered the same queries, metric by metric."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness import metrics
from harness.config import Strict
from harness.errors import InputError
from harness.metrics import Place
from harness.outcomes import Outcomes
from harness.paired.classical import mcnemar, t_test
from harness.paired.differences import differences
from harness.paired.effect import effects
from harness.paired.holm import holm
from harness.paired.interval import bootstrap
from harness.paired.power import queries_needed, smallest_difference
from harness.paired.signflip import PERMUTATIONS, check_permutations, sign_flip
from harness.paired.two_sources import two_sources


@dataclass(frozen=True)
class Side:
    """One system of a comparison.

    Attributes:
        name: how it is called in print.
        runs: its outcomes, one a seed.
        draws: what each run rests on, by name: a re-ranker's retriever's run, else the run itself. Runs of two systems
            with the same draw vary together.
    """

    name: str
    runs: tuple[Outcomes, ...]
    draws: tuple[str, ...]

    def of(self, draws: tuple[str, ...]) -> "Side":
        """The runs of these draws, in their order."""
        return Side(self.name, tuple(self.runs[self.draws.index(draw)] for draw in draws), draws)


class Comparison(Strict):
    """One metric of two systems; None where a thing is not defined.

    Attributes:
        metric: e.g. ``NDCG@10``.
        a, b: the systems.
        queries: how many both answered.
        seeds_a, seeds_b: runs of each; a query's value is the mean over them.
        difference: mean of a less mean of b.
        low, high: 95 % interval over users (percentile bootstrap).
        p: two-sided, of the sign-flip test; ``p_t``, ``p_wilcoxon``: of others; ``p_mcnemar``: exact, of Recall with
            one seed a side.
        p_both, low_both, high_both: over users and seeds (``harness.paired.two_sources``), with several seeds a side.
        deviation: standard deviation over users of the difference.
        se_users, se_seeds: standard errors of the mean difference under either source alone.
        p_holm: the test that counts (``p_both`` where there is one, else ``p``), corrected over ``family`` tests.
        effect: Cohen's d of the paired differences.
        superiority: share of queries on which a is better, ties counted half.
        wins, ties, losses: of a.
        mde_80: the smallest difference that 80 % power at 5 % would find with these queries, over users alone and
            before correction; None where the difference does not vary.
        n_needed: queries that the observed difference would need for it.
    """

    metric: str
    a: str
    b: str
    queries: int
    seeds_a: int
    seeds_b: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    family: int
    effect: float | None
    p_t: float | None
    p_wilcoxon: float
    p_mcnemar: float | None
    p_both: float | None
    low_both: float | None
    high_both: float | None
    deviation: float
    se_users: float
    se_seeds: float | None
    superiority: float
    wins: int
    ties: int
    losses: int
    mde_80: float | None
    n_needed: int | None

    @property
    def p_deciding(self) -> float:
        """The test that respects every source of variance that was sampled."""
        return self.p if self.p_both is None else self.p_both

    @property
    def interval_deciding(self) -> tuple[float, float]:
        """The 95 % interval of the difference that goes with it."""
        both = self.low_both, self.high_both
        return (self.low, self.high) if both[0] is None or both[1] is None else (both[0], both[1])


def compare(
    pairs: Sequence[tuple[Side, Side]],
    wanted: Sequence[Place],
    seed: int,
    *,
    estimator: str = "exact",
    permutations: int = PERMUTATIONS,
    threads: int = 1,
) -> list[Comparison]:
    """Compare pairs of systems; all their tests together are the family that Holm's correction is made over.

    Args:
        pairs: each to be compared.
        wanted: metrics and cut-offs.
        seed: of the permutations and resamples; the answer does not depend on ``threads``.
        estimator: how outcomes become means.
        permutations: of the sign-flip test.
        threads: pairs at a time.

    Raises:
        InputError: nothing to compare, runs with different queries, or too few permutations for the family.
    """
    family = len(pairs) * len(wanted)
    if not family:
        raise InputError("nothing to compare: expected two systems or more")
    check_permutations(permutations, family)

    def one(pair: tuple[Side, Side]) -> list[Comparison]:
        return _pair(*pair, wanted, seed, estimator, permutations, family)

    with ThreadPoolExecutor(threads) as pool:
        found = [row for rows in pool.map(one, pairs) for row in rows]
    adjusted = holm([row.p_deciding for row in found])
    return [row.model_copy(update={"p_holm": float(p)}) for row, p in zip(found, adjusted, strict=True)]


def all_pairs(sides: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Every two systems once, in the given order."""
    return list(combinations(sides, 2))


def _pair(
    a: Side, b: Side, wanted: Sequence[Place], seed: int, estimator: str, permutations: int, family: int
) -> list[Comparison]:
    a, b, in_pairs = _by_draw(a, b)
    paired = differences(a.runs, b.runs, wanted, estimator)
    name = f"{a.name} {b.name}"
    p, p_wilcoxon = sign_flip(paired, permutations, seed, name)
    low, high = bootstrap(paired, seed, name)
    mean, deviation, queries = paired.mean(), paired.deviation(), len(paired)
    single = len(a.runs) == len(b.runs) == 1 and estimator == "exact"
    rows = []
    for column, ((metric, k), p_t, size) in enumerate(zip(wanted, t_test(paired), effects(paired), strict=True)):
        own, other = ([metrics.estimate(run, metric, k, estimator) for run in side.runs] for side in (a, b))
        both = two_sources(float(mean[column]), float(deviation[column]), queries, own, other, in_pairs=in_pairs)
        rows.append(
            Comparison(
                metric=f"{metric}@{k}",
                a=a.name,
                b=b.name,
                queries=queries,
                seeds_a=len(a.runs),
                seeds_b=len(b.runs),
                difference=float(mean[column]),
                low=float(low[column]),
                high=float(high[column]),
                p=float(p[column]),
                p_holm=1.0,
                family=family,
                effect=size.d,
                p_t=p_t,
                p_wilcoxon=float(p_wilcoxon[column]),
                p_mcnemar=mcnemar(size.wins, size.losses) if metric == "Recall" and single else None,
                p_both=both.p if both else None,
                low_both=both.low if both else None,
                high_both=both.high if both else None,
                deviation=float(deviation[column]),
                se_users=float(deviation[column] / np.sqrt(queries)),
                se_seeds=both.se_seeds if both else None,
                superiority=size.superiority,
                wins=size.wins,
                ties=size.ties,
                losses=size.losses,
                mde_80=smallest_difference(float(deviation[column]), queries),
                n_needed=queries_needed(float(mean[column]), float(deviation[column])),
            )
        )
    return rows


def _by_draw(a: Side, b: Side) -> tuple[Side, Side, bool]:
    """The runs of both whose draw the other has too, in pairs, and True; all as given where there are none.

    The others are left out: what a seed drew for one side alone would be taken for a difference of the systems.
    """
    shared = tuple(draw for draw in a.draws if draw in b.draws)
    return (a.of(shared), b.of(shared), True) if shared else (a, b, False)
