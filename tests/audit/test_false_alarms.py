"""An honest table is never called impossible or inconsistent, however it was drawn, averaged, rounded or cut."""

import os
from collections import Counter

import numpy as np

from harness.audit import audit
from harness.audit.published import Column, Published
from tests.audit.honest import draw

TABLES = int(os.environ.get("LLMREC_AUDIT_TABLES", "300"))


def test_honest_tables_raise_no_alarm() -> None:
    suspected = 0
    for seed in range(TABLES):
        published, _, _ = draw(np.random.default_rng(seed))
        found = audit(published)
        alarms = [finding for finding in found if finding.strength in ("impossible", "inconsistent")]
        assert not alarms, (seed, alarms)
        suspected += any(finding.strength == "suspicious" for finding in found)
    assert suspected <= 0.01 * TABLES


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
        strengths.update(finding.strength for finding in audit(Published("made-up", tuple(averaged))))
    assert strengths["inconsistent"]
    assert not strengths["impossible"]
