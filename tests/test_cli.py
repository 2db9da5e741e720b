import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from harness import environment, recheck, store
from harness import home as homes
from harness.selection import all_selections
from tests.command_line import Harness, as_ml_100k
from tests.worlds import prepared_folder, random_histories


def test_a_run_on_a_users_own_folder_is_made_once(harness: Harness, films: Path) -> None:
    first = harness.run("popularity", films)
    second = harness.run("popularity", films)
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["run"] == second["run"]
    assert set(first["metrics"]) == {f"{m}@{k}" for m in ("Recall", "MRR", "NDCG") for k in (5, 10)}
    run = store.open_run(Path(str(first["folder"])))
    assert (run.record.statistics.users, run.record.data[0].origin) == (60, "folder")


@pytest.mark.parametrize(
    "system", ["popularity", "narm", "sasrec", "bert4rec", "lrurec", "llamarec", "gru4rec", "core"]
)
def test_the_same_seed_twice_gives_identical_outcomes(
    harness: Harness, films: Path, system: str, tmp_path: Path
) -> None:
    folders = [
        Path(str(harness.run(system, films, "--home", str(tmp_path / name))["folder"])) for name in ("one", "two")
    ]
    digests = [store.open_run(folder).record.files for folder in folders]
    assert digests[0]["outcomes.parquet"] == digests[1]["outcomes.parquet"]
    assert digests[0]["weights.safetensors"] == digests[1]["weights.safetensors"]


def test_another_seed_is_another_run(harness: Harness, films: Path) -> None:
    runs = [harness.run("lrurec", films, "--seed", seed) for seed in ("1", "2")]
    weights = [store.open_run(Path(str(run["folder"]))).record.files["weights.safetensors"] for run in runs]
    assert weights[0] != weights[1]


def test_a_ranker_makes_its_retrievers_run_first(harness: Harness, films: Path) -> None:
    made = harness.run("llamarec", films)
    ranker = store.open_run(Path(str(made["folder"])))
    assert ranker.config.retriever is not None
    retriever = store.find(harness.home / "runs", ranker.config.retriever.run)
    assert retriever is not None
    assert (retriever.config.system, retriever.config.seed) == ("lrurec", ranker.config.seed)
    assert harness.run("lrurec", films)["cached"]
    outcomes, retrieved = ranker.outcomes(), retriever.outcomes()
    assert (outcomes.asked == (retrieved.rank <= 20)).all()
    assert (outcomes.rank[~outcomes.asked] == retrieved.rank[~outcomes.asked]).all()
    assert (outcomes.rank[outcomes.asked] <= 20).all()
    assert ranker.record.queries.asked == outcomes.asked.sum() == 60 - ranker.record.queries.withheld


def test_a_kept_ranker_is_checked_by_scoring_alone(
    harness: Harness, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ml_100k(films, monkeypatch)
    harness.run("llamarec", films)
    reference = tmp_path / "reference"
    status, _, error = harness("report", "llamarec:1", "--out", str(reference), "--keep")
    assert status == 0, error
    monkeypatch.setattr(homes, "REFERENCE", reference)
    monkeypatch.setattr("baselines.reranker.tune", None)  # whatever trains would fail

    def check() -> dict[str, object]:
        status, out, error = harness("reproduce", "llamarec", "--from-reference", "--json")
        assert status == 0, error
        (row,) = json.loads(out)
        return row

    same = check()
    keys = ("system", "same_outcomes", "equal_rank", "NDCG@10", "same_machine_and_torch")
    assert [same[key] for key in keys] == ["llamarec", True, 1, 0, True]
    with monkeypatch.context() as patch:
        others = environment.hardware() | {"processor": "another"}
        patch.setattr(environment, "hardware", lambda: others)
        assert check()["same_machine_and_torch"] is False
    with monkeypatch.context() as patch:
        newer = environment.versions() | {"torch": "99.0"}
        patch.setattr(environment, "versions", lambda: newer)
        assert check()["same_machine_and_torch"] is False

    def refused(message: str) -> None:
        status, _, error = harness("reproduce", "llamarec", "--from-reference")
        assert (status, message in error) == (2, True), error

    with monkeypatch.context() as patch:
        patch.setattr(recheck, "inputs", lambda *_: {"items.tsv": "0", "backbone": "0"})
        refused("backbone, items.tsv here is not what the run read; fetch it again")
    (lists,) = reference.glob("lrurec-films-*/lists.parquet")
    lists.rename(tmp_path / "away")
    refused("the lists of its retriever's run are not kept under")
    (tmp_path / "away").rename(lists)
    (tmp_path / "empty").mkdir()
    for place, message in (
        (tmp_path / "empty", "no re-ranker's run of what is asked for is kept with its adapter under"),
        (tmp_path / "none", "keeps no runs"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(homes, "REFERENCE", place)
            refused(message)
    (folder,) = reference.glob("llamarec-films-*")
    weights = load_file(folder / store.WEIGHTS)
    save_file({name: value + 0.5 for name, value in weights.items()}, folder / store.WEIGHTS)
    status, _, error = harness("reproduce", "llamarec", "--from-reference")
    assert (status, "weights.safetensors: changed" in error) == (2, True)
    record = store.RunRecord.model_validate_json((folder / store.RECORD).read_text())
    files = record.files | {store.WEIGHTS: store.sha256_of(folder / store.WEIGHTS)}
    record = record.model_copy(update={"files": files})
    (folder / store.RECORD).write_text(record.model_copy(update={"seal": record.digest()}).model_dump_json())
    other = check()
    assert (other["same_outcomes"], other["equal_rank"] < 1) == (False, True)


def test_all_that_is_kept_is_checked_before_any_is_scored(
    harness: Harness, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ml_100k(films, monkeypatch)
    for seed in ("1", "2"):
        harness.run("llamarec", films, "--seed", seed)
    reference = tmp_path / "reference"
    assert harness("report", "llamarec:1", "--out", str(reference), "--keep")[0] == 0
    monkeypatch.setattr(homes, "REFERENCE", reference)
    monkeypatch.setattr("harness.job.Job.answer", None)  # whatever scores would fail
    (lists, *_) = reference.glob("lrurec-*-seed2-*/lists.parquet")
    lists.unlink()
    status, out, error = harness("reproduce", "llamarec", "--from-reference")
    assert (status, out, "the lists of its retriever's run are not kept" in error) == (2, "", True), error


def test_a_released_adapter_ranks_without_tuning(
    harness: Harness, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = harness.run("llamarec", films)
    run = store.open_run(Path(str(tuned["folder"])))
    kept = tmp_path / "reference"
    store.keep(run, kept, store.WEIGHTS)
    monkeypatch.setattr(homes, "REFERENCE", kept)
    choice = f"--set=adapter={run.record.run}"
    with monkeypatch.context() as without:
        without.setattr("baselines.reranker.tune", None)  # whatever trains would fail
        taken = harness.run("llamarec", films, choice)
    again = store.open_run(Path(str(taken["folder"])))
    assert (again.record.run != run.record.run, taken["metrics"]) == (True, tuned["metrics"])
    assert (again.outcomes().rank == run.outcomes().rank).all()
    notes = again.record.fit.notes
    assert (notes["weights_of_run"], notes["prompts_seen"]) == (run.record.run, run.record.fit.notes["prompts_seen"])
    assert notes["trained_at_commit"] == (run.record.git_sha or "unknown")
    fitting = ["--set=adapter=released", f"--set=prompts={int(notes['prompts_seen']) - 1}"]
    by_default = harness.run("llamarec", films, *fitting)
    found = store.open_run(Path(str(by_default["folder"])))
    assert (found.config.settings["adapter"], by_default["metrics"]) == (f"released:{run.record.run}", tuned["metrics"])
    assert found.record.fit.notes["weights_of_run"] == run.record.run
    for other in (["--seed", "7"], ["--set=learning_rate=0.5"]):
        other.append(fitting[1])
        assert harness.run("llamarec", films, *fitting, *other)["run"] == harness.run("llamarec", films, *other)["run"]
    probed = harness.run("llamarec", films, choice, "--probe", "order:reversed")
    assert probed["run"] != taken["run"]
    assert harness.run("llamarec", films, choice, "--probe", "ceiling")["metrics"]["Recall@10"] > 0
    for more, message in (
        (["--seed", "7"], "another seed"),
        (["--set=task.exclude=history"], "another task"),
        (["--probe", "label-blind"], "is about training"),
        (["--probe", "permute-ids"], "is about training"),
    ):
        status, _, error = harness("run", "llamarec", "--dataset", str(films), "--profile", "smoke", choice, *more)
        assert (status, message in error) == (2, True), error

    status, _, error = harness("run", "llamarec", "--dataset", str(films), "--profile", "smoke", "--set=adapter=0123")
    assert (status, "adapter=0123: no run of that name here" in error) == (2, True)
    shutil.copytree(harness.home / "cache" / "backbones" / "tiny", tmp_path / "tiny")
    (tmp_path / "tiny" / "source.json").unlink()
    own = ("--backbone", str(tmp_path / "tiny"))
    status, _, error = harness("run", "llamarec", "--dataset", str(films), "--profile", "smoke", choice, *own)
    assert (status, "was tuned with another backbone" in error) == (2, True), error
    other = prepared_folder(tmp_path / "other", random_histories(60, 40, seed=2))
    status, _, error = harness("run", "llamarec", "--dataset", str(other), "--profile", "smoke", choice)
    assert (status, "was tuned with another data" in error) == (2, True)


def test_compare_takes_identities_and_folders(harness: Harness, films: Path) -> None:
    first, second = (harness.run(name, films) for name in ("popularity", "lrurec"))
    status, out, error = harness("compare", str(first["run"]), str(second["folder"]), "--json")
    assert status == 0, error
    assert {(row["a"], row["b"], row["queries"]) for row in json.loads(out)} == {("popularity", "lrurec", 60)}
    status, _, error = harness("compare", str(first["run"]), "0123")
    assert (status, "0123: neither a run under" in error) == (2, True)
    status, _, error = harness("compare", str(first["run"]), str(second["run"]), "--permutations", "50")
    assert (status, "a family of 6 tests needs 119 or more" in error) == (2, True)


def test_a_grid_takes_the_best_on_validation(harness: Harness, films: Path, tmp_path: Path) -> None:
    best = harness.run("lrurec", films, "--grid", "--seed", "5")
    taken = store.find(harness.home / "runs", str(best["run"]))
    (search,) = (each for each in all_selections(harness.home / "runs") if each.config.seed == 5)
    assert (len(search.tried), search.monitor, search.config) == (10, "Recall@10", taken.config)
    assert taken.record.fit.best_value() == max(each.value for each in search.tried)
    runs = [run for run in store.all_runs(harness.home / "runs") if run.config.seed == 5]
    assert [run.record.run for run in runs] == [best["run"]]  # no test query was asked of the other nine
    assert not [path for path in (harness.home / "work").iterdir() if path.is_dir()]
    assert harness.run("lrurec", films, "--grid", "--seed", "5")["cached"]

    settings = [f"--set={key}={value}" for key, value in search.searched().items()]
    alone = harness.run("lrurec", films, "--seed", "5", *settings, "--home", str(tmp_path / "other"))
    again = store.open_run(Path(str(alone["folder"])))
    assert again.record.run == best["run"]
    assert again.record.files["outcomes.parquet"] == taken.record.files["outcomes.parquet"]


def test_a_grid_leaves_alone_what_is_set(harness: Harness, films: Path) -> None:
    best = harness.run("lrurec", films, "--grid", "--seed", "6", "--set", "dropout=0.3")
    (search,) = (each for each in all_selections(harness.home / "runs") if each.config.seed == 6)
    assert [each.settings for each in search.tried] == [{"weight_decay": 0.0}, {"weight_decay": 0.01}]
    taken = store.find(harness.home / "runs", str(best["run"]))
    assert taken.config.settings["dropout"] == 0.3
    assert harness.run("lrurec", films, "--grid", "--seed", "6", "--set", "dropout=0.3")["cached"]
    assert not harness.run("lrurec", films, "--grid", "--seed", "6", "--set", "weight_decay=0.0")["cached"]
    assert len([each for each in all_selections(harness.home / "runs") if each.config.seed == 6]) == 2


def test_any_setting_can_be_chosen_on_validation(harness: Harness, films: Path) -> None:
    asked = ["lrurec", films, "--seed", "7", "--search", "learning_rate=1e-5,1e-2"]
    best = harness.run(*asked)
    (search,) = (each for each in all_selections(harness.home / "runs") if each.config.seed == 7)
    assert [each.settings for each in search.tried] == [{"learning_rate": 1e-5}, {"learning_rate": 1e-2}]
    assert search.searched() == max(search.tried, key=lambda each: each.value).settings
    taken = store.find(harness.home / "runs", str(best["run"]))
    assert taken.config == search.config
    assert harness.run(*asked)["cached"]

    harness.run(*asked[:-1], "learning_rate=1e-5,2e-5")
    assert len([each for each in all_selections(harness.home / "runs") if each.config.seed == 7]) == 2


def test_a_run_folder_edited_by_hand_is_not_used(harness: Harness, films: Path) -> None:
    folder = Path(str(harness.run("popularity", films)["folder"]))
    (folder / "config.yaml").write_text("system: other\n")
    status, _, error = harness("run", "popularity", "--dataset", str(films), "--profile", "smoke")
    assert status == 2
    assert "config.yaml: changed after the run was finished" in error


@pytest.mark.parametrize("what", ["systems", "datasets", "backbones", "papers", "profiles"])
def test_lists_print_a_table_or_one_document(harness: Harness, what: str) -> None:
    rows = json.loads(harness("list", what, "--json")[1])
    table = harness("list", what)[1]
    assert rows
    assert all(row["name"] in table for row in rows)


def test_the_systems_list_says_what_takes_part(harness: Harness) -> None:
    systems = {row["name"]: row for row in json.loads(harness("list", "systems", "--json")[1])}
    assert systems["llamarec"]["llm"] == "LoRA-tuned"
    assert systems["llamarec"]["conventional_recommender"] is True
    assert systems["sasrec"]["llm"] == "none"


def test_doctor_prints_what_it_found(harness: Harness) -> None:
    status, out, _ = harness("doctor", "--json")
    assert status == 0
    assert {"processor", "memory", "GPU", "state folder"} <= {row["subject"] for row in json.loads(out)}


def test_a_dry_run_plans_and_runs_nothing(harness: Harness) -> None:
    def planned(*options: str) -> list[dict[str, object]]:
        status, out, _ = harness("reproduce", "llamarec", "--profile", "cpu", "--dry-run", "--json", *options)
        assert status == 0
        return json.loads(out)

    plan = planned("--seeds", "42,43")
    assert [(row["system"], row["set"]) for row in plan[-2:]] == [("llamarec", {})] * 2
    assert len(plan) == 12
    assert [planned(*options)[-1]["set"] for options in ((), ("--tune",))] == [{"adapter": "released"}, {}]
    assert {row["dataset"] for row in plan} == {"ml-latest-small"}
    assert not harness.home.exists()


def test_fetch_tells_what_it_got(harness: Harness) -> None:
    status, out, error = harness("fetch", "tiny", "--json")
    (row,) = json.loads(out)
    assert (status, row["name"], row["origin"], row["pinned"]) == (0, "tiny", "made", False), error
    assert row["sha256"][:16] in harness("fetch", "tiny")[1]
