from pathlib import Path

import pytest
from matplotlib.axes import Axes

from harness.cell import Cell
from harness.record import FitRecord
from harness.shown import Shown
from harness.store import Run
from reports import learning
from reports.figure import as_svg
from reports.render import render, write
from tests.reports.conftest import COMMAND

NOTED = {"validation_NDCG@10_untuned": 0.125, "validation_NDCG@10_of_the_retriever": 0.3125}


@pytest.fixture
def noted(runs: list[Run]) -> Run:
    fit = runs[-1].record.fit
    fit = fit.model_copy(update={"notes": fit.notes | NOTED})
    return Run(runs[-1].folder, runs[-1].config, runs[-1].record.model_copy(update={"fit": fit}))


def points(panel: Axes) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]
        for line in panel.get_lines()
    ]


def test_the_re_rankers_behind_the_cells_are_drawn(all_cells: list[Cell], runs: list[Run]) -> None:
    assert learning.choose(all_cells, runs) == [runs[-1]]
    others = [cell for cell in all_cells if cell.ran_system != "llamarec"]
    assert learning.choose(others, runs) == []
    untrained = runs[-1].record.model_copy(update={"fit": FitRecord()})
    assert learning.choose(all_cells, [Run(runs[-1].folder, runs[-1].config, untrained)]) == []


def test_every_validation_stands_at_the_prompts_seen(noted: Run) -> None:
    above, below = learning.draw([noted]).axes
    curve, kept, retriever = points(above)
    assert curve == [(0, 0.125), (160, 0.25), (315, 0.375)]  # the last batch is short
    assert kept == [(315, 0.375)]
    assert [y for _, y in retriever] == [0.3125, 0.3125]
    assert points(below) == [[(160, 4.5), (315, 3.25)]]


def test_every_epochs_last_batch_may_be_short_and_the_best_need_not_be_the_last(noted: Run) -> None:
    epochs = {"curve": ((6, 0.5, 4.0), (8, 0.25, 3.0), (12, 0.125, 2.0)), "best_step": 6}
    fit = noted.record.fit.model_copy(update=epochs)
    fit = fit.model_copy(update={"notes": fit.notes | {"prompts_seen": 44, "prompts_an_epoch": 22}})
    config = noted.config.model_copy(update={"settings": {"batch_size": 4}})
    above, _ = learning.draw([Run(noted.folder, config, noted.record.model_copy(update={"fit": fit}))]).axes
    curve, kept, _ = points(above)
    assert curve[1:] == [(22, 0.5), (30, 0.25), (44, 0.125)]
    assert kept == [(22, 0.5)]


def test_a_run_of_an_earlier_version_lacks_only_what_it_did_not_note(runs: list[Run], noted: Run) -> None:
    (old,), (new,) = learning.draw([runs[-1]]).legends, learning.draw([noted]).legends
    assert [text.get_text() for text in old.get_texts()] == ["weights kept"]
    assert [text.get_text() for text in new.get_texts()] == ["weights kept", "retriever's own order"]
    curve, _ = points(learning.draw([runs[-1]]).axes[0])
    assert curve == [(160, 0.25), (315, 0.375)]


def test_a_seed_is_a_colour_and_a_data_set_a_column(noted: Run) -> None:
    other_seed = Run(noted.folder, noted.config.model_copy(update={"seed": 43}), noted.record)
    other_set = Run(noted.folder, noted.config.model_copy(update={"dataset": "amazon-games-2014"}), noted.record)
    panels = learning.draw([noted, other_seed, other_set]).axes
    assert [panel.get_title() for panel in panels[:2]] == [
        "llamarec on ml-latest-small",
        "llamarec on amazon-games-2014",
    ]
    first, _, _, second, *_ = panels[0].get_lines()
    assert (first.get_label(), second.get_label()) == ("seed 42", "seed 43")
    assert first.get_color() != second.get_color()


def test_it_is_written_beside_the_tables_embedded_and_linked(
    all_cells: list[Cell], runs: list[Run], tmp_path: Path
) -> None:
    written = {path.name: path.read_text() for path in write(Shown("llamarec", all_cells), runs, tmp_path, COMMAND)}
    picture = written["llamarec-learning.svg"]
    assert picture == as_svg(learning.draw([runs[-1]]))
    assert picture in written["llamarec.html"]
    assert "](llamarec-learning.svg)" in written["llamarec.md"]
    plain = render(
        Shown("llamarec", [cell for cell in all_cells if cell.ran_system != "llamarec"]), runs, "md", COMMAND
    )
    assert learning.TITLE not in plain
