"""The notes' table of the verbalizer's memory is the measurement that is kept beside it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from harness import stats

KEPT = Path(__file__).parents[2] / "reports" / "reference" / "llamarec"
WAYS = ("verbalizer", "generation", "full logits")


@pytest.mark.parametrize("batch", [1, 8])
def test_the_notes_have_the_kept_means_and_intervals(batch: int) -> None:
    (line,) = re.findall(rf"^  \| batch {batch} \| (.*) \|$", (KEPT / "NOTES.md").read_text(encoding="utf-8"), re.M)
    kept = json.loads((KEPT / "costs" / "verbalizer-memory.json").read_text())["peak_bytes"]
    peaks = {way: np.array(kept[f"{way}, batch {batch}"]) for way in WAYS}
    wanted = []
    for way, own in peaks.items():
        ratios = own / peaks["verbalizer"]
        low, high = stats.seeds_interval(ratios.tolist())
        times = "" if way == "verbalizer" else f", {ratios.mean():.2f} [{low:.2f}, {high:.2f}]"
        wanted.append(f"{own.mean() / 2**20:.1f}{times}")
    assert line.split(" | ") == wanted
