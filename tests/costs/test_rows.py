from pathlib import Path

import pytest

from harness import metrics
from harness.costs import rows as cost_rows
from harness.papers import paper as papers
from harness.record import FitRecord
from tests.made_costs import made_cost
from tests.made_runs import LLAMA, SMOL, make_run

PAPER = papers.load("llamarec")
FIGURE = PAPER.table("figure3")


def test_the_figures_points_are_the_papers_lines() -> None:
    costs = [
        made_cost("verbalizer", 20, 500.0),
        made_cost("titles", 20, 9000.0),
        made_cost("titles", 20, 99.0, batch=16),
        made_cost("titles", 40, 99.0, history=3, candidates=3),
    ]
    found = {(cell.system, cell.x): cell for cell in cost_rows.cells(PAPER, "figure3", FIGURE, costs)}
    assert len(found) == 16
    generation = found["Generation", 20]
    assert (generation.published, generation.mean, generation.metric) == (56.16, 9.0, "latency_s")
    assert (generation.verdict, generation.difference) == ("other backbone", pytest.approx(9.0 - 56.16))
    assert (found["LlamaRec", 20].mean, found["LlamaRec", 20].verdict) == (0.5, "no published value")
    assert (found["Generation", 40].mean, found["Generation", 40].verdict) == (None, "not run")
    own = cost_rows.cells(PAPER, "figure3", FIGURE, [*costs, made_cost("titles", 20, 60_000.0, model=LLAMA)])
    assert next(c for c in own if (c.system, c.x) == ("Generation", 20)).verdict == "other budget"


def test_accuracy_is_of_the_same_checkpoint_asked_so(tmp_path: Path) -> None:
    lists = make_run(tmp_path, "lrurec", [1, 2, 3, 40])
    ranks = [1, 3, 2, 40]
    ranker = make_run(tmp_path, "llamarec", ranks, retriever=lists, asked=[True, True, True, False], model=SMOL)
    make_run(tmp_path, "llamarec", [1, 1, 1, 40], retriever=lists, asked=[True] * 3 + [False], model=LLAMA)
    carried = [made_cost(method, checkpoint=ranker.record.run) for method in ("verbalizer", "titles, static cache")]
    verbalizer, titles, bare = cost_rows.rows(PAPER, "figure3", [made_cost("letters"), *carried], [ranker])
    assert (bare.ndcg, bare.why_none) == (None, "not tuned")
    asked = ranker.outcomes().take(ranker.outcomes().asked)
    assert (verbalizer.run, verbalizer.users) == (ranker.record.run, 3)
    assert verbalizer.ndcg == pytest.approx(metrics.estimate(asked, "NDCG", 10))
    assert (titles.ndcg, titles.why_none) == (None, "not run")
    assert (verbalizer.named, verbalizer.tuned_for) == (None, "verbalizer")
    notes = {"weights_of_run": ranker.record.run, "lists": 4}
    notes |= {"candidates_named": 6, "entries_unparsed": 1, "entries_invented": 10}
    settings = {"adapter": "llamarec", "output": "titles", "constrained": False}
    lister = make_run(
        tmp_path, "title-generator", ranks, retriever=lists, settings=settings, model=SMOL, fit=FitRecord(notes=notes)
    )
    (titles,) = cost_rows.rows(PAPER, "figure3", carried[1:], [ranker, lister])
    assert (titles.named, titles.unparsed, titles.invented) == (1.5, 0.25, 2.5)
    assert (titles.run, titles.tuned_for) == (lister.record.run, "verbalizer")
    shape = SMOL.model_copy(update={"name": "llama-2-7b-shape"})
    (timed,) = cost_rows.rows(PAPER, "figure3", [made_cost(model=shape)], [ranker])
    assert (timed.ndcg, timed.why_none) == (None, "the weights are random")
    assert cost_rows.rows(PAPER, "1", [made_cost()], [ranker]) == []


def test_of_several_checkpoints_the_line_shows_the_fastest_that_wrote_the_whole_list() -> None:
    made = [(9000.0, 400.0, "a" * 16), (8000.0, 400.0, "b" * 16), (300.0, 14.0, "c" * 16)]
    costs = [made_cost("titles", 20, ms, checkpoint=run, written=written) for ms, written, run in made]
    for order in (costs, costs[::-1]):
        cells = cost_rows.cells(PAPER, "figure3", FIGURE, order)
        assert next(cell for cell in cells if (cell.system, cell.x) == ("Generation", 20)).mean == 8.0
    assert len(cost_rows.rows(PAPER, "figure3", costs, [])) == 3


def test_titles_of_another_data_set_are_other_data() -> None:
    elsewhere = made_cost("titles", 20, model=LLAMA).model_copy(update={"titles": "ml-100k"})
    cells = cost_rows.cells(PAPER, "figure3", FIGURE, [elsewhere])
    assert next(cell for cell in cells if (cell.system, cell.x) == ("Generation", 20)).verdict == "other data"


def test_a_bare_backbone_elsewhere_does_not_stand_in_for_a_tuned_one() -> None:
    tuned = made_cost("titles", 20, 300.0, checkpoint="a" * 16, written=14.0)
    bare = made_cost("titles", 20, 9000.0, written=400.0)
    elsewhere = bare.model_copy(update={"hardware": {"processor": "another", "threads": 2}})
    cells = cost_rows.cells(PAPER, "figure3", FIGURE, [tuned, elsewhere])
    assert next(cell for cell in cells if (cell.system, cell.x) == ("Generation", 20)).mean == 0.3
