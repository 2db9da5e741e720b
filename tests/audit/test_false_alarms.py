"""An honest table is never called impossible or inconsistent, however it was drawn, averaged, rounded or cut."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.audit import RULES, coverage, grid, joint, order
from harness.audit.finding import Finding
from harness.audit.published import Column, Published
from tests.audit.honest import draw

Rule = Callable[[Published], Iterator[Finding]]
TABLES = int(os.environ.get("LLMREC_AUDIT_TABLES", "300"))
SEARCHES = TABLES // 10  # the rule ``joint`` searches integers, which takes its time


def alarms(rules: Sequence[Rule], tables: int) -> tuple[list[tuple[int, Finding]], int]:
    """What is called impossible or inconsistent, by seed, and how many tables are called suspicious."""
    raised, suspected = [], 0
    for seed in range(tables):
        published = coverage.with_derived_users(draw(np.random.default_rng(seed))[0])
        found = [finding for rule in rules for finding in rule(published)]
        raised += [(seed, finding) for finding in found if finding.strength in ("impossible", "inconsistent")]
        suspected += any(finding.strength == "suspicious" for finding in found)
    return raised, suspected


def test_honest_tables_raise_no_alarm() -> None:
    raised, suspected = alarms([rule for rule in RULES if rule is not joint.check], TABLES)
    assert not raised
    assert suspected <= 0.01 * TABLES


def test_honest_columns_have_ranks() -> None:
    assert alarms([joint.check], SEARCHES) == ([], 0)


def test_no_average_of_users_is_called_impossible() -> None:
    """Batch means, and means over seeds, of real ranks: another estimator, but ranks that exist."""
    strengths: Counter[str] = Counter()
    for seed in range(TABLES // 6):
        rng = np.random.default_rng(seed)
        published, ranks, style = draw(rng)
        size = int(rng.integers(2, 65))
        places = list(published.columns[0].numbers)
        averaged = []
        for name, own in ranks.items():
            batches = [own[start : start + size] for start in range(0, len(own), size)]
            means = {p: style.prints(float(np.mean([style.mean(batch, p) for batch in batches]))) for p in places}
            averaged.append(Column("1", "Set", name, len(own), means))
        made = Published("made-up", tuple(replace(column, users=None) for column in averaged))
        assert not [finding for finding in joint.check(made) if finding.strength == "impossible"], seed
        made = Published("made-up", tuple(averaged))
        strengths.update(finding.strength for check in (order.check, grid.check) for finding in check(made))
    assert strengths["inconsistent"]
    assert not strengths["impossible"]
