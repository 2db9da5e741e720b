"""Searches whose training is scripted: what is taken, and what counts as the same search."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import baselines  # noqa: F401  registers the systems
from harness import grid, resolve
from harness.checkpoint import Trained
from harness.config import Retriever, RunConfig
from harness.errors import InputError
from harness.home import Home
from harness.record import FitRecord
from harness.selection import all_selections
from tests.made_runs import NEVER_HELD, RATINGS

DROPOUTS = {"dropout": (0.1, 0.5, 0.3)}
RATES = {"learning_rate": (1e-3, 1e-4)}


class Script:
    """Validation values by dropout, and the settings of the points that were trained."""

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.values, self.trained = home, {0.1: 0.2, 0.5: 0.7, 0.3: 0.7}, list[RunConfig]()
        self.sources = [RATINGS]
        monkeypatch.setattr(grid.run, "fit", self.fit)
        monkeypatch.setattr(grid.run, "execute", lambda config, *_: (config, False))
        monkeypatch.setattr(grid.data, "load", lambda *_: SimpleNamespace(sources=self.sources))

    def fit(self, point: RunConfig, home: Home, *_: object) -> tuple[FitRecord, Trained, Path]:
        self.trained.append(point)
        curve = [(5, value, 1.0) for value in [self.values.get(point.settings.get("dropout", 0.1))] if value]
        record = FitRecord(monitor="Recall@10", curve=tuple(curve), best_step=5)
        return record, Trained((), ()), home.work / str(len(self.trained))

    def search(self, config: RunConfig, values: grid.Values = DROPOUTS) -> RunConfig:
        taken, _ = grid.search(config, values, self.home, "harness run", lambda line: None)
        return taken  # type: ignore[return-value]  # the scripted execute returns what it was asked for


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(Home(tmp_path), monkeypatch)


def narm(seed: int = 42) -> RunConfig:
    return resolve.resolve("narm", "ml-latest-small", "paper", seed, "cpu")


def test_the_first_of_equals_is_taken_and_the_same_search_is_not_done_again(script: Script) -> None:
    assert script.search(narm()).settings["dropout"] == 0.5
    assert [point.settings["dropout"] for point in script.trained] == [0.1, 0.5, 0.3]
    script.values = {0.1: 0.9, 0.5: 0.1, 0.3: 0.1}
    assert script.search(narm()).settings["dropout"] == 0.5
    assert len(script.trained) == 3


def test_another_seed_or_other_data_is_searched_anew(script: Script) -> None:
    script.search(narm())
    script.values = {0.1: 0.9, 0.5: 0.1, 0.3: 0.1}
    assert script.search(narm(seed=43)).settings["dropout"] == 0.1
    script.sources = [NEVER_HELD]
    assert script.search(narm()).settings["dropout"] == 0.1
    assert len(script.trained) == 9


def test_a_re_ranker_is_searched_for_each_retriever(script: Script) -> None:
    ranker = resolve.resolve("llamarec", "ml-latest-small", "smoke", 42, "cpu")
    for number, (system, run) in enumerate((("lrurec", "a"), ("lrurec", "b"), ("sasrec", "c")), 1):
        for _ in range(2):
            script.search(ranker.model_copy(update={"retriever": Retriever(system=system, run=run)}), RATES)
            assert len(script.trained) == 2 * number
    assert len(all_selections(script.home.runs)) == 3


def test_nothing_is_chosen_where_nothing_is_validated(script: Script) -> None:
    script.values = {}
    with pytest.raises(InputError, match="system narm: validates nothing, so nothing can be chosen; set dropout"):
        script.search(narm())
    assert all_selections(script.home.runs) == []
