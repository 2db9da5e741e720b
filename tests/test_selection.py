from functools import partial
from pathlib import Path

import pytest

from harness import reproduce, resolve, selection, store
from harness.config import Retriever, RunConfig
from harness.errors import InputError
from harness.evidence import choose, earlier_runs, gather, is_taken
from harness.home import Home
from harness.keeping import keep
from harness.selection import Selection
from harness.shown import shown
from harness.store import Run
from tests.made_runs import NEVER_HELD, make_run, make_search

SETS = ["ml-latest-small"]


def config(dropout: float, seed: int = 42, **changes: object) -> RunConfig:
    return resolve.resolve("narm", SETS[0], "paper", seed, "cpu", {"dropout": dropout, **changes})


def search(dropout: float = 0.5) -> Selection:
    return make_search(config(dropout), [{"dropout": 0.2}, {"dropout": dropout}])


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert selection.all_selections(tmp_path / "none") == []
    selection.write(search(), tmp_path)
    selection.write(search(), tmp_path)
    (found,) = selection.all_selections(tmp_path)
    assert found == search()


def test_one_from_before_there_was_a_key_is_copied_as_it_is(tmp_path: Path) -> None:
    written = selection.write(search(), tmp_path / "runs")
    older = Selection.model_validate_json(search().model_dump_json(exclude={"earlier_commits", "seal"}))
    text = older.model_copy(update={"seal": older.digest()}).model_dump_json(indent=2, exclude_unset=True) + "\n"
    assert "earlier_commits" not in text
    written.write_text(text)
    (found,) = selection.all_selections(written.parent)
    assert selection.write(found, tmp_path / "kept").read_text() == text


def test_of_several_searches_the_widest_counts(tmp_path: Path) -> None:
    alone, others = search(0.5), search(0.4)
    points = [each.model_copy(update={"settings": each.settings | {"weight_decay": 0.0}}) for each in others.tried]
    taken = others.config.model_copy(update={"settings": others.config.settings | {"weight_decay": 0.0}})
    wider = others.model_copy(update={"tried": (*points, *points), "config": taken}).sealed()
    for each in (alone, wider):
        selection.write(each, tmp_path)
    assert [len(each.tried) for each in selection.all_selections(tmp_path)] == [4, 2]
    chosen = selection.as_searched(config(0.2), selection.all_selections(tmp_path))
    assert (chosen.settings["dropout"], chosen.settings["weight_decay"]) == (0.4, 0.0)


def test_one_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = selection.write(search(), tmp_path)
    path.write_text(path.read_text().replace("0.1", "0.9"))
    with pytest.raises(InputError, match="changed after it was finished"):
        selection.all_selections(tmp_path)
    path.write_text("{}")
    with pytest.raises(InputError, match=r"narm-.*selection.json: not a search of this harness"):
        selection.all_selections(tmp_path)


def test_other_seeds_take_what_was_found_and_other_settings_do_not() -> None:
    assert selection.as_searched(config(0.2, seed=43), [search()]) == config(0.5, seed=43)
    assert selection.as_searched(config(0.2, width=8), [search()]) == config(0.2, width=8)
    assert selection.as_searched(config(0.2), []) == config(0.2)


def test_what_was_chosen_on_other_data_or_among_values_of_ones_own_is_not_taken() -> None:
    assert selection.as_searched(config(0.2), [search()], search().inputs) == config(0.5)
    assert selection.as_searched(config(0.2), [search()], {NEVER_HELD.name: NEVER_HELD.sha256}) == config(0.2)
    assert selection.as_searched(config(0.2), [search(0.45)]) == config(0.2)


def test_a_re_rankers_search_is_one_of_its_retriever() -> None:
    ranker = resolve.resolve("llamarec", SETS[0], "paper", 42, "cpu")
    rate = {"learning_rate": 1e-3}
    found = make_search(ranker.model_copy(update={"settings": ranker.settings | rate}), [rate])
    for system, covered in (("lrurec", True), ("sasrec", False)):
        own = ranker.model_copy(update={"retriever": Retriever(system=system, run="0123")})
        assert found.covers(own) is covered


def test_the_latest_of_two_searches_counts_and_every_seed_has_its_own(tmp_path: Path) -> None:
    later = search(0.4).model_copy(update={"started_at": "2026-01-02T00:00:00+00:00"}).sealed()
    other = search().model_copy(update={"config": config(0.5, seed=43)}).sealed()
    assert len({selection.write(each, tmp_path) for each in (search(), later, other)}) == 3
    found = selection.all_selections(tmp_path)
    assert found[0] == later
    assert selection.as_searched(config(0.2), found) == config(0.4)
    runs = {dropout: make_run(tmp_path, "narm", [1], settings=config(dropout).settings) for dropout in (0.4, 0.5)}
    for dropout, run in runs.items():
        same = Run(run.folder, run.config.model_copy(update={"task": config(dropout).task}), run.record)
        assert is_taken(same, found) is (dropout == 0.4)


@pytest.mark.parametrize("value", [0.5, 0.4])
def test_a_run_from_before_there_was_a_searched_key_ran_at_its_default(value: float) -> None:
    default = resolve.resolve("narm", SETS[0], "paper", 42, "cpu").settings["dropout"]
    older = config(default)
    del older.settings["dropout"]
    assert search(value).takes(older) is (value == default)


def test_a_profile_with_the_same_settings_takes_what_was_found() -> None:
    same, cheaper = (resolve.resolve("narm", SETS[0], profile, 42, "cpu") for profile in ("gpu", "cpu"))
    taken = selection.as_searched(same, [search()])
    assert (taken.profile, taken.settings) == ("gpu", config(0.5).settings)
    assert selection.as_searched(cheaper, [search()]) == cheaper


def test_a_table_shows_what_validation_chose_whatever_has_more_seeds(tmp_path: Path) -> None:
    runs = {
        dropout: [make_run(tmp_path, "narm", [1], seed=seed, settings=config(dropout).settings) for seed in seeds]
        for dropout, seeds in ((0.2, (42, 43, 44)), (0.5, (42,)))
    }
    chosen = search().model_copy(update={"config": runs[0.5][0].config})
    everything = [*runs[0.2], *runs[0.5]]
    assert choose(everything, "narm", SETS)[0] == tuple(runs[0.2])
    assert choose(everything, "narm", SETS, [chosen])[0] == tuple(runs[0.5])
    assert (gather(everything, "narm", SETS).tried, gather(everything, "narm", SETS, [chosen]).tried) == (1, 2)
    assert [gather(everything, "narm", SETS, each).search for each in ([], [chosen])] == ["", chosen.command]
    for started_at, tested in (("2026-01-01T00:00:00+00:00", 0), ("2026-01-01T00:00:01+00:00", 2), ("2025", 0)):
        later = chosen.model_copy(update={"started_at": started_at})
        assert gather(everything, "narm", SETS, [later]).tested == tested
    unchosen = [make_run(tmp_path, "narm", [1], seed=seed, settings=config(0.4).settings) for seed in range(4)]
    assert choose([*everything, *unchosen], "narm", SETS)[0] == tuple(runs[0.2])
    elsewhere = chosen.model_copy(update={"inputs": {NEVER_HELD.name: NEVER_HELD.sha256}})
    assert choose(everything, "narm", SETS, [elsewhere])[0] == tuple(runs[0.2])


def test_what_had_been_tested_before_a_search_is_counted_from_a_plans_runs_and_from_a_copy(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    early, late = "2025-12-31T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
    made = partial(make_run, home.runs, "narm", [1], task=config(0.5).task)
    before = made(seed=43, settings=config(0.2).settings, started_at=early)
    elsewhere = made(profile="gpu", settings=config(0.2).settings, started_at=early)
    made(settings=config(0.2).settings, started_at=early, data=(NEVER_HELD,))
    made(settings=config(0.1).settings, started_at=early)  # the search did not try it
    after = made(settings=config(0.3).settings, started_at=late)
    taken = made(settings=config(0.5).settings, started_at=late)
    written = selection.write(search(), home.runs)
    earlier = earlier_runs(home.runs, [taken], [search()])
    assert [run.record.run for run in earlier] == [before.record.run]
    found = gather([taken], "narm", SETS, [search()], earlier)
    assert (found.runs, found.tested) == ((taken,), 1)
    assert earlier_runs(home.runs, [after], [search()]) == []
    assert earlier_runs(home.runs / "none", [taken], []) == []

    everything, targets = store.all_runs(home.runs), reproduce.parse_targets(["llamarec:1"])
    copies = keep(shown(targets, everything, [search()], [], None), everything, [search()], tmp_path / "kept")
    names = {each.folder.name for each in (before, elsewhere, taken)} | {written.name}
    assert {path.name for path in copies} == {path.name for path in (tmp_path / "kept").iterdir()} == names
    kept = store.all_runs(tmp_path / "kept")
    (cell, *_) = [cell for cell in shown(targets, kept, [search()], [], None)[0].cells if cell.system == "NARM"]
    assert cell.tested == 2


def test_a_plan_takes_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    selection.write(search(), home.runs)
    (target,) = reproduce.parse_targets(["llamarec:1"])
    for read, dropout in (({}, 0.5), (search().inputs, 0.5), ({NEVER_HELD.name: NEVER_HELD.sha256}, 0.2)):
        own = {"read": {SETS[0]: read}} if read else {}
        planned = reproduce.plan(target, {"ML-100k": SETS[0]}, "paper", [42, 43], "cpu", home, ["narm"], **own)
        assert [each.config for each in planned] == [config(dropout), config(dropout, seed=43)]
