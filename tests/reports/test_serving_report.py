import json
from pathlib import Path

import pytest

from harness.costs.kept import KeptCost
from harness.costs.serving import serving
from harness.shown import Shown
from reports import growth
from reports import serving as report
from reports.render import FORMATS, render, write
from tests.made_costs import made_lines
from tests.reports.conftest import COMMAND, PAPER


@pytest.fixture
def served() -> list[KeptCost]:
    return serving(PAPER, "serving", made_lines())


def test_a_row_by_hand(served: list[KeptCost]) -> None:
    listing = report.listing("", served)
    assert listing is not None
    assert len(listing.headings) == len(listing.rows[0])
    machine = ("smollm2-135m, bfloat16", "made up, 2 thread(s)")
    assert listing.rows[0] == (*machine, "", "20", "20", "1", "200", "2.00", "5", "20.0%", "1", "")
    assert listing.rows[3] == (*machine, "batch", "20", "20", "4", "400", "2.00", "10", "", "1", "2,000")
    assert report.listing("", []) is None


def test_a_retriever_timed_beside_others_work_is_starred(served: list[KeptCost]) -> None:
    (kept, *_) = served
    assert kept.retrieval is not None
    whole = kept.retrieval.whole.model_copy(update={"busy": "other processes used 9% of the cores"})
    beside = kept.model_copy(update={"retrieval": kept.retrieval.model_copy(update={"whole": whole})})
    listing = report.listing("", [beside])
    assert listing is not None
    assert (listing.rows[0][6], listing.rows[0][9]) == ("200", "20.0%*")


def test_every_format_has_the_rows(served: list[KeptCost]) -> None:
    for format_ in set(FORMATS) - {"csv", "json"}:
        text = " ".join(render(Shown("llamarec", [], serving=served), [], format_, COMMAND).split())
        assert "Cost of serving" in text
        assert "2,000" in text


def test_files_hold_every_number(served: list[KeptCost], tmp_path: Path) -> None:
    write(Shown("llamarec", [], serving=served), [], tmp_path, COMMAND)
    common, *_, batch = json.loads((tmp_path / "llamarec-serving.json").read_text())
    assert (common["grows"], common["retriever_ms"], common["retriever_share"]) == (None, 50, 0.2)
    assert (batch["grows"], batch["requests_per_s"], batch["energy_of_1000_requests_j"]) == ("batch", 10, 2000)
    assert len((tmp_path / "llamarec-serving.csv").read_text().splitlines()) == 5
    assert (tmp_path / "llamarec-serving.svg").read_text().startswith("<svg")


def test_a_panel_each_with_floor_and_retriever(served: list[KeptCost]) -> None:
    panels = {panel.get_xlabel(): panel for panel in growth.draw(served).axes}
    drawn = {
        (label, line.get_linestyle(), float(x), float(y))
        for label, panel in panels.items()
        for line in panel.get_lines()
        for x, y in line.get_xydata()
    }
    throughput = growth.LABELS["requests"]
    assert list(panels) == ["history, items", "candidates", "batch, requests", growth.LABELS["model"], "", throughput]
    assert {
        ("history, items", "-", 5, 100),
        ("history, items", "-", 20, 200),
        ("history, items", ":", 5, 50),
        ("history, items", "--", 5, 25),
        ("candidates", "-", 100, 300),
        ("candidates", "--", 20, 50),
        (growth.LABELS["batch"], "-", 4, 400),
        (growth.LABELS["batch"], ":", 4, 200),
        (throughput, "-", 4, 10),
        (throughput, ":", 4, 20),
        (growth.LABELS["model"], "-", 1000, 200),
        (growth.LABELS["model"], ":", 1000, 100),
        (growth.LABELS["model"], "--", 1000, 50),
    } <= drawn
    assert {(panel.get_xscale(), panel.get_yscale()) for label, panel in panels.items() if label} == {("log", "log")}
