from pathlib import Path

from harness.costs.plan import Point
from harness.costs.rankers import carried, checkpoint, that_rank, way
from harness.papers import paper as papers
from harness.papers.cost_figures import CostFigure
from harness.record import FitRecord
from harness.store import Run
from tests.made_runs import LLAMA, SMOL, make_run

PAPER = papers.load("llamarec")
FIGURE = PAPER.table("figure3")
ML = "ml-latest-small"


def test_what_only_changes_speed_is_the_same_way_to_rank() -> None:
    assert way("titles, static cache") == way("titles, vLLM") == "titles"
    assert way("letters, constrained") == "letters, constrained"


def test_of_several_runs_that_rank_so_the_lowest_seed_then_most_steps_then_most_users_then_the_last(
    tmp_path: Path,
) -> None:
    def made(day: int, users: int = 2, steps: int = 7, seed: int = 42) -> Run:
        started, fit = f"2026-01-{day:02}T00:00:00+00:00", FitRecord(steps=steps)
        return make_run(tmp_path, "llamarec", [1] * users, started_at=started, fit=fit, seed=seed, model=SMOL)

    rising = [made(9, 9, 99, seed=43), made(8, 9, steps=6), made(7), made(1, 3), made(2, 3)]
    for count in range(1, len(rising) + 1):
        assert that_rank(PAPER, FIGURE, "verbalizer", ML, rising[:count][::-1]) == [rising[count - 1]]


def test_a_run_of_a_table_of_variants_ranks_in_no_figure(tmp_path: Path) -> None:
    plain = make_run(tmp_path, "llamarec", [1, 2], model=SMOL)
    later = {"started_at": "2027-01-01T00:00:00+00:00", "settings": {"loss_on": "prompt"}}
    varied = make_run(tmp_path, "llamarec", [1, 2], model=SMOL, fit=FitRecord(steps=99), **later)
    assert that_rank(PAPER, FIGURE, "verbalizer", ML, [plain, varied]) == [plain]


def test_a_point_is_measured_with_every_checkpoint_that_ranks_so_else_bare(tmp_path: Path) -> None:
    assert isinstance(FIGURE, CostFigure)
    written = {"output": "titles", "constrained": False}
    ranker = make_run(tmp_path, "llamarec", [1, 2], model=SMOL)
    taken = FitRecord(notes={"weights_of_run": ranker.record.run})
    borrowed = make_run(
        tmp_path, "title-generator", [2, 1], settings=written | {"adapter": "llamarec"}, model=SMOL, fit=taken
    )
    own = make_run(tmp_path, "title-generator", [1, 1], settings=written | {"adapter": None}, model=SMOL)
    later = make_run(tmp_path, "llamarec", [1, 3], seed=43, model=SMOL)
    other = make_run(tmp_path, "llamarec", [1, 4], seed=41, model=LLAMA)
    runs = [ranker, borrowed, own, later]
    assert checkpoint(borrowed) == checkpoint(ranker) == ranker.record.run
    assert that_rank(PAPER, FIGURE, "verbalizer", ML, runs) == [ranker]
    assert that_rank(PAPER, FIGURE, "verbalizer", "ml-100k", runs) == []

    def point(method: str, backbone: str = SMOL.name) -> Point:
        return Point(backbone, "none", 1, 20, 20, 20, method, 3)

    methods = ("verbalizer", "titles", "titles, static cache", "letters")
    found = list(carried(map(point, methods), PAPER, FIGURE, ML, [other, *runs]))
    with_run = [(each.method, each.checkpoint, run) for each, run in found]
    assert [each for each in with_run if each[0] == "letters"] == [("letters", None, None)]
    assert [run for method, _, run in with_run if method == "verbalizer"] == [ranker]
    for method in ("titles", "titles, static cache"):
        asked = {checkpoint: run for asked, checkpoint, run in with_run if asked == method}
        assert asked == {ranker.record.run: borrowed, own.record.run: own}
    assert [name for _, name, _ in with_run] == [*[ranker.record.run] * 3, *[own.record.run] * 2, None]
    ((shape, run),) = carried([point("titles", "llama-2-7b-shape")], PAPER, FIGURE, ML, runs)
    assert (shape, run) == (point("titles", "llama-2-7b-shape"), None)
