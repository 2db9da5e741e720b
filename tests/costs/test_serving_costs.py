import hashlib
import json
from pathlib import Path

import pytest
import torch

from harness import environment, run
from harness.costs import kept as costs
from harness.costs import rows as cost_rows
from harness.costs.kept import KeptCost, of_figure
from harness.costs.plan import Point
from harness.costs.retrieval import measurer
from harness.costs.serving import along, grows, serving
from harness.home import Home
from harness.papers import paper as papers
from harness.record import ModelRecord
from harness.resolve import resolve
from harness.tasks import ranking
from tests.made_costs import made_cost, made_lines
from tests.made_runs import SMOL
from tests.worlds import dataset, prepared_folder

CPU = torch.device("cpu")
PAPER = papers.load("llamarec")
TINY = ModelRecord(name="tiny", sha256="e" * 64, dtype="float32", quantisation="none")


@pytest.mark.parametrize(
    ("kept", "figures"),
    [
        (made_cost(tokens=10), {"cost", "serving"}),
        (made_cost(tokens=10, batch=16), {"serving"}),
        (made_cost(tokens=20, batch=16), {"cost"}),
        (made_cost(tokens=10, batch=8), {"serving"}),
        (made_cost(tokens=10, history=5), {"serving"}),
        (made_cost(tokens=15), {"cost"}),
        (made_cost("titles", tokens=10), {"cost"}),
        (made_cost(tokens=10, history=5, candidates=5), set()),
        (made_cost(tokens=10, model=TINY), {"serving"}),
        (made_cost(tokens=10, model=TINY, history=3, candidates=3), {"cost"}),
        (made_cost(tokens=10, model=SMOL.model_copy(update={"quantisation": "nf4"})), set()),
    ],
    ids=lambda value: value.point if isinstance(value, KeptCost) else None,
)
def test_a_cost_is_a_figures_where_a_profile_plans_its_size_for_it(kept: KeptCost, figures: set[str]) -> None:
    assert {kind for kind in ("cost", "serving") if of_figure(kind, [kept])} == figures  # type: ignore[arg-type]
    assert bool(cost_rows.rows(PAPER, "figure3", [kept], [])) is ("cost" in figures)
    assert bool(serving(PAPER, "serving", [kept])) is ("serving" in figures)
    assert serving(PAPER, "figure3", [kept]) == []


def test_figure3_takes_no_time_from_another_size() -> None:
    spec = PAPER.table("figure3")
    made = [made_cost(tokens=10, ms=1.0, history=5), made_cost(tokens=10, ms=500.0)]
    found = {(c.system, c.x): c.mean for c in cost_rows.cells(PAPER, "figure3", spec, made)}  # type: ignore[arg-type]
    assert found["LlamaRec", 10] == 0.5


def test_of_one_point_that_was_timed_twice_the_most_often_timed_is_shown() -> None:
    few, many = made_cost(tokens=10), made_cost(tokens=10, timings=10)
    for order in ([few, many], [many, few]):
        assert of_figure("serving", order) == [many]
    elsewhere = few.model_copy(update={"hardware": {"gpu": "another"}})
    assert len(of_figure("serving", [many, elsewhere])) == 2


def test_a_backbone_is_shown_bare_where_serving_is_measured_or_no_checkpoint_on_it_was() -> None:
    bare, tuned, other = made_cost(tokens=10), made_cost(tokens=10, checkpoint="a" * 16), made_cost(tokens=20)
    assert of_figure("serving", [bare, tuned, other]) == [bare]
    assert of_figure("cost", [bare, tuned, other]) == [tuned, other]


def test_lines_meet_in_the_common_point() -> None:
    found = serving(PAPER, "serving", made_lines())
    assert [grows(kept.cost) for kept in found] == [None, "history", "candidates", "batch"]
    assert [kept.cost.history for kept in along("history", found)] == [5, 20]
    assert [kept.cost.candidates for kept in along("candidates", found)] == [20, 100]
    assert [kept.cost.batch for kept in along("batch", found)] == [1, 4]
    assert [kept.retriever_share for kept in found] == [0.2, 0.2, None, None]
    assert [kept.cost.energy_of_1000_requests_j for kept in found] == [None, None, None, 2000.0]


def test_points_keep_the_names_that_they_were_first_kept_by() -> None:
    titles, where = dataset([[1, 2, 3]]), environment.hardware()
    first = {"backbone": "tiny", "quantisation": "none", "batch": 1, "title_tokens": 10, "items": 20}
    first |= {"method": "verbalizer", "repeats": 3}
    document = json.dumps(
        [first, ["0" * 64], ["cpu", where.get("gpu") or where["processor"], where["threads"]]], sort_keys=True
    )
    common = Point("tiny", "none", 1, 10, 20, 20, "verbalizer", 3)
    assert costs.identity(common, titles, CPU) == hashlib.sha256(document.encode()).hexdigest()[:16]
    sizes = [(20, 20), (20, 5), (5, 20), (5, 5)]
    assert len({costs.identity(Point("tiny", "none", 1, 10, *s, "verbalizer", 3), titles, CPU) for s in sizes}) == 4


@pytest.mark.parametrize(("retriever_ms", "again"), [(50.0, False), (None, True)])
def test_a_point_kept_without_the_retriever_is_measured_again_with_it(
    tmp_path: Path, retriever_ms: float | None, again: bool
) -> None:
    titles, home = dataset([[1, 2, 3]]), Home(tmp_path)
    point = Point("tiny", "none", 1, 10, 20, 20, "verbalizer", 3)
    kept = made_cost(retriever_ms=retriever_ms).model_copy(update={"point": costs.identity(point, titles, CPU)})
    costs.write(kept.sealed(), home.runs)
    assert costs.missing([point], titles, CPU, home) == {}
    assert bool(costs.missing([point], titles, CPU, home, retrieval=True)) is again


def test_the_retriever_is_the_restored_system_asked_for_the_best_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories = [[7, user % 5 + 1, 6, user % 3 + 8] for user in range(12)]  # 7 and 6 alone are everyone's
    folder, home = prepared_folder(tmp_path / "films", histories), Home(tmp_path / "home")
    made, _ = run.execute(resolve("popularity", str(folder), "smoke", 42, "cpu"), home, "typed", lambda line: None)
    found: list[torch.Tensor] = []

    def spied(scores: torch.Tensor, k: int) -> torch.Tensor:
        assert k == 20
        found.append(best(scores, k))
        return found[-1]

    best = ranking.top_items
    monkeypatch.setattr(ranking, "top_items", spied)
    measure = measurer(made, run.data.load(str(folder), home), CPU, home, lambda line: None)
    cost = measure(30, 3)
    assert (cost.run, len(cost.whole.timings_ms)) == (made.record.run, 3)
    assert [list(each.shape) for each in found] == [[30, 10]] * 5  # warmed up, memory read, timed three times
    assert {tuple(row[:1].tolist()) for row in found[0]} == {(7,)}
    assert measure(30, 3) is cost
