import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import baselines  # noqa: F401  registers the systems
from harness import data, reproduce, resolve, show, store
from harness.config import Probe
from harness.costs import measurement
from harness.engine import local
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.papers import paper as papers
from harness.resolve import profile_file
from tests.command_line import Harness, as_ml_100k
from tests.made_runs import make_run

PAPER = papers.load("llamarec")
(WHOLE,) = reproduce.parse_targets(["llamarec"], whole=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def plan(home: Home, target: reproduce.Target = WHOLE, **options: object) -> list[tuple[str, str, int]]:
    datasets = reproduce.datasets_of(target, options.pop("datasets", None))  # type: ignore[arg-type]
    planned = reproduce.plan(target, datasets, "cpu", [1, 2], "cpu", home, **options)  # type: ignore[arg-type]
    return [(each.config.system, each.config.dataset, each.config.seed) for each in planned]


def test_a_plan_says_what_a_figure_sets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (target,) = reproduce.parse_targets(["llm-trsr:figure9"])
    planned = reproduce.plan(target, {"MovieLens": "ml-100k"}, "smoke", [1], "cpu", Home(tmp_path), ["trsr-recurrent"])
    assert [resolve.changed(each.config) for each in planned] == [
        {"recent": 0},
        {"recent": 1},
        {"recent": 3},
        {"recent": 5},
        {"recent": 10},
    ]
    show.plan(planned, as_json=False)
    assert "recent=10" in capsys.readouterr().out


def test_only_ml_100k_is_planned_unless_sets_are_named(home: Home) -> None:
    assert {dataset for _, dataset, _ in plan(home)} == {"ml-latest-small"}
    assert {d for _, d, _ in plan(home, datasets=["Games", "amazon-beauty-2014"])} == {
        "amazon-games-2014",
        "amazon-beauty-2014",
    }


def test_rankers_come_after_their_retrievers(home: Home) -> None:
    systems = [system for system, _, _ in plan(home)]
    assert set(systems) == {"popularity", "narm", "sasrec", "bert4rec", "lrurec", "llamarec"}
    assert systems[-2:] == ["llamarec", "llamarec"]
    waves = reproduce.waves(reproduce.plan(WHOLE, {"ML-100k": "ml-latest-small"}, "cpu", [1], "cpu", home))
    assert [[config.system for config in wave] for wave in waves][1] == ["llamarec"]


def test_figures_are_run_only_where_they_are_named(home: Home) -> None:
    assert "figure3" not in WHOLE.tables
    (figure,) = reproduce.parse_targets(["llamarec:figure3"], whole=False)
    planned = reproduce.plan(figure, {"ML-100k": "ml-latest-small"}, "cpu", [1], "cpu", home)
    keys = ("adapter", "output", "constrained")
    assert planned[0].config.system == "llamarec"
    assert {tuple(each.config.settings[key] for key in keys) for each in planned[1:]} == {
        *(("llamarec", output, constrained) for output in ("titles", "letters") for constrained in (False, True)),
        *((None, output, False) for output in ("titles", "letters")),
        ("title-generator", "titles", True),
    }
    assert [len(wave) for wave in reproduce.waves(planned)] == [3, 5]
    assert "figure3" in reproduce.parse_targets(["llamarec"])[0].tables


def test_serving_is_measured_only_where_it_is_named_and_wants_its_retriever(home: Home) -> None:
    assert "serving" not in WHOLE.tables
    (target,) = reproduce.parse_targets(["llamarec:serving"], whole=False)
    planned = reproduce.plan(target, {"ML-100k": "ml-latest-small"}, "cpu", [1], "cpu", home)
    assert [(each.config.system, each.cells) for each in planned] == [("lrurec", 0)]
    assert "serving" in reproduce.parse_targets(["llamarec"])[0].tables


def test_a_table_of_statistics_alone_needs_one_cheap_run(home: Home) -> None:
    target = reproduce.parse_targets(["llamarec:2"])[0]
    assert {system for system, _, _ in plan(home, target)} == {"popularity"}


def test_a_table_of_another_set_runs_on_that_set(home: Home) -> None:
    target = reproduce.parse_targets(["llamarec:4"])[0]
    assert {(system, dataset) for system, dataset, _ in plan(home, target)} == {("llamarec", "amazon-beauty-2014")}


def test_a_table_over_retrieved_users_brings_the_retriever(home: Home) -> None:
    target = reproduce.parse_targets(["llamarec:3"])[0]
    assert {system for system, _, _ in plan(home, target, systems=["narm"])} == {"narm", "lrurec"}


def test_a_target_means_the_systems_of_its_tables() -> None:
    def named(*targets: str) -> set[str]:
        (target,) = reproduce.parse_targets(list(targets), whole=False)
        return set(reproduce.systems_of(target).values())

    assert named("llamarec:figure3") == {"llamarec", "title-generator"}
    assert named("llamarec") == {"popularity", "narm", "bert4rec", "sasrec", "lrurec", "llamarec"}
    assert named("llamarec:2") == {"popularity"}


def test_the_plan_counts_the_cells_that_rest_on_a_run(home: Home) -> None:
    planned = reproduce.plan(WHOLE, {"Beauty": "amazon-beauty-2014"}, "cpu", [1], "cpu", home)
    assert {each.config.system: each.cells for each in planned}["llamarec"] == 6 + 6 + 4
    assert {each.config.system: each.cells for each in planned}["narm"] == 6 + 6


def test_a_backbone_is_for_those_systems_that_have_one(home: Home) -> None:
    planned = reproduce.plan(
        WHOLE, {"ML-100k": "ml-latest-small"}, "cpu", [1], "cpu", home, changes={"backbone": "tiny"}
    )
    assert {each.config.settings.get("backbone") for each in planned} == {None, "tiny"}


@pytest.mark.parametrize(("probe", "counts"), [(None, True), ("permute-ids", False)])
def test_a_probed_run_is_not_the_cached_run_of_a_plan(home: Home, probe: Probe | None, counts: bool) -> None:
    def first() -> reproduce.Planned:
        return reproduce.plan(WHOLE, {"ML-100k": "ml-latest-small"}, "gpu", [1], "cpu", home, ["popularity"])[0]

    config = first().config
    made = make_run(home.runs, "popularity", [1], profile="gpu", seed=1, task=config.task, probe=probe)
    assert first().cached == (made.record.run if counts else None)
    assert first().estimate_s == (made.record.wall_s if counts else None)


def test_a_run_of_before_a_setting_is_cached_and_one_of_another_profile_or_retriever_is_not(home: Home) -> None:
    def planned(system: str) -> reproduce.Planned:
        found = reproduce.plan(WHOLE, {"ML-100k": "ml-latest-small"}, "gpu", [1], "cpu", home, [system])
        return next(each for each in found if each.config.system == system)

    asked = planned("narm").config
    older = {key: value for key, value in asked.settings.items() if key != "dropout"}
    make_run(home.runs, "narm", [1], profile="cpu", seed=1, settings=asked.settings, task=asked.task, wall_s=9.0)
    assert (planned("narm").cached, planned("narm").estimate_s) == (None, profile_file("gpu").estimate_s.get("narm"))
    made = make_run(home.runs, "narm", [1], profile="gpu", seed=1, settings=older, task=asked.task)
    assert (planned("narm").cached, planned("narm").estimate_s) == (made.record.run, made.record.wall_s)

    ranker = planned("llamarec").config
    for system, counts in (("sasrec", False), ("lrurec", True)):
        lists = make_run(home.runs, system, [1], profile="gpu", seed=1)
        own = {"settings": ranker.settings, "task": ranker.task, "retriever": lists}
        made = make_run(home.runs, "llamarec", [1], profile="gpu", seed=1, **own)  # type: ignore[arg-type]
        assert planned("llamarec").cached == (made.record.run if counts else None)


@pytest.mark.parametrize(("probe", "counts"), [(None, True), ("order:reversed", False)])
def test_a_figures_run_is_cached_by_the_settings_that_it_asks_for(
    home: Home, probe: Probe | None, counts: bool
) -> None:
    (figure,) = reproduce.parse_targets(["llamarec:figure3"])

    def again() -> list[reproduce.Planned]:
        return reproduce.plan(figure, {"ML-100k": "ml-latest-small"}, "cpu", [1], "cpu", home)

    before = again()
    config = before[1].config
    assert (config.system, config.settings["adapter"]) == ("title-generator", "llamarec")
    asked = {"settings": config.settings, "task": config.task, "probe": probe}
    made = make_run(home.runs, config.system, [1], profile="cpu", seed=1, **asked)  # type: ignore[arg-type]
    assert [each.cached for each in again()] == [None, made.record.run if counts else None, *[None] * 6]
    assert (again()[2].estimate_s == made.record.wall_s) is counts


def test_runs_are_asked_what_their_table_asks(home: Home) -> None:
    assert [target.paper.id for target in reproduce.parse_targets([])] == ["llamarec", "llm-trsr"]
    for table, negatives in (("2", "uniform"), ("2-matched", "popularity")):
        (target,) = reproduce.parse_targets([f"llm-trsr:{table}"])
        planned = reproduce.plan(target, {"MovieLens": "ml-latest-small"}, "cpu", [1], "cpu", home)
        assert len(planned) == 12
        assert {(each.config.task.name, each.config.task.negatives) for each in planned} == {("candidates", negatives)}


def test_a_sweep_plans_a_run_for_each_value(home: Home) -> None:
    (target,) = reproduce.parse_targets(["llm-trsr:figure9"])
    planned = reproduce.plan(target, {"MovieLens": "ml-latest-small"}, "cpu", [1], "cpu", home)
    assert [each.config.settings["recent"] for each in planned] == [0, 1, 3, 5, 10] * 2
    assert {each.cells for each in planned} == {2}


def test_what_a_figure_sweeps_wins_over_a_choice_for_all_runs(home: Home) -> None:
    changes = {"backbone": "tiny", "recent": 1}
    found = []
    for figure in ("figure10", "figure9"):
        (target,) = reproduce.parse_targets([f"llm-trsr:{figure}"])
        datasets, only = {"Office": "amazon-office-2018"}, ["trsr-recurrent"]
        planned = reproduce.plan(target, datasets, "cpu", [1], "cpu", home, only, changes=changes)
        found.append([(each.config.settings["backbone"], each.config.settings["recent"]) for each in planned])
    llama, pythia = "meta-llama/Llama-2-7b-hf", "EleutherAI/pythia-"
    assert found[0] == [(name, 1) for name in ("smollm2-135m", f"{pythia}1.4b", f"{pythia}2.8b", llama)]
    assert found[1] == [("tiny", recent) for recent in (0, 1, 3, 5, 10)]


def test_targets_are_merged_and_checked() -> None:
    (target,) = reproduce.parse_targets(["llamarec:3", "llamarec:1", "llamarec:3"])
    assert target.tables == ("3", "1")
    assert reproduce.parse_targets([])[0].tables == tuple(PAPER.tables)
    with pytest.raises(InputError, match="known: 1, 2, 3, 4, figure3"):
        reproduce.parse_targets(["llamarec:7"])


def test_a_set_that_no_source_has_gives_way_to_its_fallback_and_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(name: str, *_: object) -> list[object]:
        if name != "ml-100k":
            raise WorkError(f"{name}: no source gave it")
        return []

    monkeypatch.setattr(data, "fetch", fetch)
    said: list[str] = []
    wanted = {"ML-100k": "ml-latest-small", "Games": "amazon-games-2014"}
    assert reproduce.available(PAPER, wanted, home, said.append) == ({"ML-100k": "ml-100k"}, {"ml-100k": {}})
    assert any("running ml-100k instead of ml-latest-small" in line and "`other data`" in line for line in said)
    assert any(line.startswith("Games: could not be had") and "`not run`" in line for line in said)


@pytest.mark.skipif("LLMREC_MIRROR" not in os.environ, reason="needs the mirror of the paper's data")
def test_the_whole_way_from_raw_data_to_judged_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness", "reproduce", "llamarec", "--profile", "smoke", "--json"]
    options = [
        "--systems",
        "popularity,lrurec,llamarec",
        "--home",
        str(tmp_path / "home"),
        "--out",
        str(tmp_path / "out"),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, env=environment, check=False, timeout=250
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)
    runs = {run.config.system: run for run in store.all_runs(tmp_path / "home" / "runs")}
    assert set(runs) == {"popularity", "lrurec", "llamarec"}
    by_verdict: dict[str, set[str]] = {}
    for cell in cells:
        if cell["table"] == "1":
            by_verdict.setdefault(cell["verdict"], set()).add(f"{cell['dataset']}/{cell['system']}")
    assert by_verdict["other backbone"] == {"ML-100k/LlamaRec"}
    assert by_verdict["other budget"] == {"ML-100k/LRURec"}
    assert by_verdict["no published value"] == {"ML-100k/Popularity"}
    assert {"ML-100k/NARM", "Beauty/LlamaRec", "Games/LRURec"} <= by_verdict["not run"]
    (recall,) = [
        c
        for c in cells
        if (c["table"], c["system"], c["metric"], c["k"]) == ("1", "Popularity", "Recall", 10) and c["mean"]
    ]
    assert recall["mean"] == pytest.approx((runs["popularity"].outcomes().rank <= 10).sum() / 610)
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".md", ".tex", ".html", ".csv", ".json", ".svg"}


@pytest.mark.parametrize("search", [("--grid", "--set=dropout=0.2"), ("--search=weight_decay=0.01,0",)])
def test_what_was_tested_before_a_search_is_counted_by_reproduce_and_not_shown(
    harness: Harness, films: Path, monkeypatch: pytest.MonkeyPatch, search: tuple[str, ...]
) -> None:
    """Of equal points the first is taken: 0 by the grid, and by the other search the default, as it was tested."""
    as_ml_100k(films, monkeypatch)
    before = store.open_run(Path(str(harness.run("lrurec", films, "--seed", "43")["folder"])))
    older = before.record.model_copy(update={"started_at": "2026-01-01T00:00:00+00:00"}).sealed()
    (before.folder / store.RECORD).write_text(older.model_dump_json())
    harness.run("lrurec", films, *search)
    asked = ["llamarec:1", "--systems", "lrurec", "--profile", "smoke", "--json", "--out", str(harness.home / "report")]
    status, out, error = harness("reproduce", *asked)
    assert status == 0, error
    cells = [cell for cell in json.loads(out) if (cell["system"], cell["dataset"]) == ("LRURec", "ML-100k")]
    assert {(cell["tried"], cell["tested"], cell["seeds"]) for cell in cells} == {(2, 1, 1)}


def test_what_runs_print_and_a_cost_that_fails_leave_the_document_alone(
    harness: Harness, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[str]:
        print("a library's line")
        return ["1 of 1: no memory"]

    as_ml_100k(films, monkeypatch)
    monkeypatch.setattr(measurement, "measure", fail)
    status, out, error = harness("reproduce", "llamarec:serving", "--profile", "smoke", "--json")
    assert (json.loads(out), "a library's line" in error) == ([], True)
    assert (status, "1 costs could not be measured; the first: 1 of 1: no memory" in error) == (1, True)


def test_a_plan_whose_runs_are_all_bad_input_is_bad_input(
    harness: Harness, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ml_100k(films, monkeypatch)
    asked = ["reproduce", "llamarec:1", "--systems", "lrurec", "--seeds", "1,2", "--profile", "smoke"]
    for errors, status in (([InputError("a"), InputError("b")], 2), ([InputError("a"), WorkError("b")], 1)):
        monkeypatch.setattr(local, "execute", lambda *_, errors=errors: errors)
        found, _, error = harness(*asked)
        assert (found, "2 of 2 runs failed; the first: a" in error) == (status, True)
