from pathlib import Path

import pytest

from harness.cells import cells
from harness.costs.rows import CostRow, rows
from harness.shown import Shown
from reports import latency, pareto
from reports.render import FORMATS, render, write
from tests.made_costs import made_cost
from tests.made_runs import SMOL, make_run
from tests.reports.conftest import COMMAND, PAPER


@pytest.fixture
def costs(tmp_path: Path) -> list[CostRow]:
    retriever = make_run(tmp_path, "lrurec", [1, 2, 3])
    ranker = make_run(tmp_path, "llamarec", [1, 3, 2], retriever=retriever, asked=[True] * 3, model=SMOL)
    made = [
        made_cost(way, t, ms, checkpoint=ranker.record.run)
        for way, ms in (("verbalizer", 500.0), ("titles", 9000.0))
        for t in (5, 20)
    ]
    return rows(PAPER, "figure3", made, [ranker])


def test_every_format_has_the_rows_of_the_figure(costs: list[CostRow]) -> None:
    shown = cells(PAPER, "figure3", [], costs=[row.cost for row in costs])
    for format_ in set(FORMATS) - {"csv", "json"}:
        text = " ".join(render(Shown("llamarec", shown, costs), [], format_, COMMAND).split())
        assert "Figure 3" in text
        assert "times the floor" in text or format_ == "terminal"
        assert text.count("9,000") == 4  # the median, and the prefill of a list whose prefill was not measured


def test_files_hold_every_number(costs: list[CostRow], tmp_path: Path) -> None:
    shown = cells(PAPER, "figure3", [], costs=[row.cost for row in costs])
    names = {path.name for path in write(Shown("llamarec", shown, costs), [], tmp_path / "out", COMMAND)}
    assert {f"llamarec-{name}" for name in ("figure3.svg", "figure3-accuracy.svg", "costs.csv", "costs.json")} <= names
    assert "p90_ms" in (tmp_path / "out" / "llamarec-costs.csv").read_text().splitlines()[0]


def test_published_points_and_floors_stand_beside_the_measured(costs: list[CostRow]) -> None:
    shown = cells(PAPER, "figure3", [], costs=[row.cost for row in costs])
    (panel,) = latency.draw(costs, shown).axes
    drawn = [(float(x), float(y)) for line in panel.get_lines() for x, y in line.get_xydata()]
    assert {(20, 0.5), (20, 9.0), (20, 0.25), (20, 4.5), (20, 56.16), (5, 18.0)} <= set(drawn)


def test_every_checkpoint_has_a_line_and_one_that_was_not_tuned_says_so() -> None:
    made = [
        made_cost("titles" if checkpoint else "verbalizer", tokens, ms, checkpoint=checkpoint)
        for ms, checkpoint in ((7000.0, None), (8000.0, "a" * 16), (9000.0, "b" * 16))
        for tokens in (5, 20)
    ]
    known = [
        row if row.why_none == "not tuned" else row.model_copy(update={"tuned_for": "titles"})
        for row in rows(PAPER, "figure3", made, [])
    ]
    drawn = latency.draw(known, [])
    (panel,), (legend,) = drawn.axes, drawn.legends
    lines = [tuple(map(float, line.get_ydata())) for line in panel.get_lines() if line.get_linestyle() == "-"]
    assert sorted(lines) == [(7.0, 7.0), (8.0, 8.0), (9.0, 9.0)]
    assert [text.get_text() for text in legend.get_texts()] == ["titles", "verbalizer (not tuned)", "published"]
    random = SMOL.model_copy(update={"name": "llama-2-7b-shape"})
    (timed,) = rows(PAPER, "figure3", [made_cost("titles", model=random)], [])
    assert latency.labelled(timed) == "titles"


def test_no_two_lines_look_alike() -> None:
    labels = ["verbalizer", *map(str, range(27)), "titles"]
    drawn = latency.styles(labels)
    assert list(drawn) == labels
    assert len({(style["marker"], style["color"]) for style in drawn.values()}) == 29


def test_only_ways_of_known_accuracy_are_weighed(costs: list[CostRow]) -> None:
    (chosen,) = pareto.choose(costs)
    assert (chosen.cost.cost.method, chosen.cost.cost.title_tokens) == ("verbalizer", 20)
    assert pareto.choose([]) == []
    assert len(pareto.draw([chosen]).axes) == 1


def test_what_is_as_accurate_and_slower_is_beaten_on_its_own_machine_only(costs: list[CostRow]) -> None:
    verbalizer = costs[0]

    def row(ms: float, ndcg: float, **hardware: str) -> CostRow:
        kept = made_cost(ms=ms)
        kept = kept.model_copy(update={"hardware": kept.hardware | hardware})
        return verbalizer.model_copy(update={"cost": kept, "ndcg": ndcg, "low": ndcg - 0.1, "high": ndcg + 0.1})

    fast, slow, better, worse = row(100.0, 0.5), row(200.0, 0.5), row(300.0, 0.6), row(300.0, 0.5)
    rows = [fast, slow, better, worse]
    assert [pareto.is_beaten(each, rows) for each in rows] == [False, True, False, True]
    first, second = pareto.draw([fast, slow, row(50.0, 0.9, gpu="another")]).axes
    assert (first.get_title(), second.get_title()) == ("made up, 2 thread(s)", "another")
    filled = [[line.get_markerfacecolor() != "none" for line in panel.get_lines()[::3]] for panel in (first, second)]
    assert filled == [[True, False], [True]]
