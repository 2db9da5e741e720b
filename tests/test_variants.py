"""Columns with one change: which runs belong to a change, what is said of them, and that no verdict hears of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import cells, keeping, reproduce, selection, store
from harness.config import Profile, RunConfig
from harness.home import Home
from harness.paired.comparison import Side, compare
from harness.papers import paper as papers
from harness.papers.variants import Variants
from harness.resolve import profiles, resolve
from harness.shown import Shown, shown
from harness.store import Run
from harness.variants import Variant, variants
from reports.render import render, write
from reports.variants import listings
from tests.made_runs import SMOL, make_run, make_search

PAPER = papers.load("llamarec")
RANDOM = np.random.default_rng(3)
PLAIN, CHANGED = ({seed: RANDOM.integers(1, most, 40).tolist() for seed in (42, 43)} for most in (14, 9))
NDCG: dict[str, Any] = {"monitor": "NDCG@10"}
HISTORY: dict[str, Any] = {"task.exclude": "history"}


def made(folder: Path, ranks: Sequence[int], changes: dict[str, Any], system: str = "lrurec", **given: Any) -> Run:
    profile: Profile = given.pop("profile", "paper")
    tuned = {"adapter": None} if system == "llamarec" else {}
    dataset, seed = given.get("dataset", "ml-latest-small"), given.get("seed", 42)
    config = resolve(system, dataset, profile, seed, "cpu", tuned | changes)
    return make_run(folder, system, ranks, profile=profile, settings=config.settings, task=config.task, **given)


def rows(runs: list[Run], change: dict[str, Any], system: str = "LRURec") -> list[Variant]:
    found = variants(PAPER, "variants", runs, [])
    return [row for row in found if (row.dataset, row.system, row.change) == ("ML-100k", system, change)]


def test_a_change_is_held_against_the_runs_that_the_table_shows_over_the_seeds_of_both(tmp_path: Path) -> None:
    plain = [made(tmp_path, PLAIN[seed], {}, seed=seed) for seed in (42, 43)]
    changed = [made(tmp_path, CHANGED[seed], NDCG, seed=seed) for seed in (42, 43)]
    once = made(tmp_path, CHANGED[42], HISTORY)
    runs = [*plain, *changed, once]

    both = {row.metric: row for row in rows(runs, NDCG)}
    assert list(both) == ["Recall@5", "NDCG@10", "Recall@10"]
    row = both["Recall@10"]
    before, after = (np.mean([np.mean(np.array(ranks[seed]) <= 10) for seed in (42, 43)]) for ranks in (PLAIN, CHANGED))
    assert (row.before, row.after, row.published) == (pytest.approx(before), pytest.approx(after), 0.1426)
    assert row.runs == tuple(run.record.run for run in (*changed, *plain))
    assert row.comparison
    assert (row.comparison.seeds_a, row.comparison.seeds_b) == (2, 2)
    assert row.comparison.difference == pytest.approx(after - before)
    assert row.comparison.p_both is not None
    assert row.comparison.family == 2 * 3

    single = rows(runs, HISTORY)[2]
    assert single.before == np.mean(np.array(PLAIN[42]) <= 10)
    sides = [Side(name, (run.outcomes(),), (name,)) for name, run in (("changed", once), ("as shown", plain[0]))]
    (alone,) = compare([(sides[0], sides[1])], [("Recall", 10)], 42)
    assert single.comparison
    assert single.comparison.difference == alone.difference

    (missing, *_) = rows(runs, {"targets": "last"})
    assert (missing.before, missing.after, missing.comparison, missing.runs) == (None, None, None, ())


def test_only_a_run_that_differs_by_the_change_alone_belongs_to_it(tmp_path: Path) -> None:
    plain = made(tmp_path, PLAIN[42], {})
    also = made(tmp_path, CHANGED[42], NDCG | {"dropout": 0.35})
    other_seed = made(tmp_path, CHANGED[43], NDCG, seed=43)
    probed = made(tmp_path, CHANGED[42], NDCG, probe="permute-ids")
    cheaper = made(tmp_path, CHANGED[42], NDCG, profile="cpu")
    assert variants(PAPER, "variants", [plain, also, other_seed, probed, cheaper], []) == []

    right = made(tmp_path, CHANGED[42], NDCG)
    everything = [plain, also, other_seed, probed, cheaper, right]
    assert {row.runs for row in rows(everything, NDCG)} == {(right.record.run, plain.record.run)}


def test_settings_that_lay_out_the_work_and_keys_that_came_later_are_no_change(tmp_path: Path) -> None:
    lists = made(tmp_path, PLAIN[42], {}, profile="cpu")
    early = resolve("llamarec", "ml-latest-small", "cpu", 42, "cpu", {"adapter": None})
    del early.settings["loss_on"]  # a run from before there was the key
    given: dict[str, Any] = {"profile": "cpu", "retriever": lists, "model": SMOL}
    plain = make_run(tmp_path, "llamarec", PLAIN[42], settings=early.settings, task=early.task, **given)
    laid_out = {"loss_on": "prompt", "micro_batch": 1, "score_batch": 3}
    changed = made(tmp_path, CHANGED[42], laid_out, "llamarec", **given)
    found = rows([lists, plain, changed], {"loss_on": "prompt"}, "LlamaRec")
    assert {row.runs for row in found} == {(changed.record.run, plain.record.run)}


def test_what_both_sides_have_is_held_against_the_profiles_own_run_with_it(tmp_path: Path) -> None:
    lists = made(tmp_path, PLAIN[42], {}, profile="cpu")
    given: dict[str, Any] = {"profile": "cpu", "retriever": lists, "model": SMOL}
    tuned = made(tmp_path, PLAIN[43], {}, "llamarec", **given)
    taken = {"adapter": "released:0123456789abcdef", "prompts": 20000, "learning_rate": 3e-4}
    best = made(tmp_path, PLAIN[42], taken, "llamarec", **given)
    changed = made(tmp_path, CHANGED[42], {"loss_on": "prompt"}, "llamarec", **given)
    probed = made(tmp_path, CHANGED[43], taken, "llamarec", probe="order:shuffled", **given)
    everything = [lists, tuned, best, changed, probed]
    assert cells.cells(PAPER, "1", everything) == cells.cells(PAPER, "1", [lists, best, tuned])
    (cell, *_) = (each for each in cells.cells(PAPER, "1", everything) if each.system == "LlamaRec" and each.runs)
    assert cell.runs == (best.record.run,)
    (own, *_) = rows(everything, {"loss_on": "prompt"}, "LlamaRec")
    assert (own.runs, own.both) == ((changed.record.run, tuned.record.run), {"adapter": None})
    shuffled = rows(everything, {"probe": "order:shuffled"}, "LlamaRec")
    assert {(row.runs, not row.both) for row in shuffled} == {
        ((probed.record.run, best.record.run), True),
        ((), False),
    }
    (listing,) = listings(own and [own, *shuffled], {"variants": ""})
    assert listing.rows[0][2] == "loss_on=prompt (both: adapter=null)"


def test_what_both_sides_have_may_be_cheaper_than_what_the_table_shows(tmp_path: Path) -> None:
    lists = {
        (profile, seed): made(tmp_path, PLAIN[seed], {}, profile=profile, seed=seed)
        for profile, seed in (("paper", 42), ("cpu", 42), ("cpu", 43))
    }

    def ranker(ranks: Sequence[int], changes: dict[str, Any], profile: str, seed: int, model: Any = SMOL) -> Run:
        given = {"profile": profile, "seed": seed, "retriever": lists[profile, seed], "model": model}
        return made(tmp_path, ranks, {"backbone": "smollm2-135m"} | changes, "llamarec", **given)

    best = ranker(PLAIN[42], {"prompts": 20000}, "paper", 42)
    plain = {seed: ranker(PLAIN[seed], {}, "cpu", seed) for seed in (42, 43)}
    changed = ranker(CHANGED[43], {"loss_on": "prompt"}, "cpu", 43)
    other = ranker(CHANGED[42], {"loss_on": "prompt", "learning_rate": 0.5}, "cpu", 42)
    everything = [*lists.values(), best, *plain.values(), changed, other]
    (cell, *_) = (each for each in cells.cells(PAPER, "1", everything) if each.system == "LlamaRec" and each.runs)
    assert cell.runs == (best.record.run,)
    found = rows(everything, {"loss_on": "prompt"}, "LlamaRec")
    assert {(row.runs, row.profile) for row in found} == {((changed.record.run, plain[43].record.run), "cpu")}

    same = {"prompts": None, "loss_on": "prompt"}
    dearer = [ranker(PLAIN[43], {"prompts": None}, "paper", 42), ranker(CHANGED[42], same, "paper", 42)]
    found = rows([*everything, *dearer], {"loss_on": "prompt"}, "LlamaRec")
    assert {(row.runs, row.profile) for row in found} == {((dearer[1].record.run, dearer[0].record.run), "paper")}


def test_a_probe_of_a_changed_run_is_a_change_and_stands_nowhere_else(tmp_path: Path) -> None:
    lists = made(tmp_path, PLAIN[42], {}, profile="cpu")
    given: dict[str, Any] = {"profile": "cpu", "retriever": lists, "model": SMOL}
    ways = [({}, None), ({}, "order:shuffled"), ({"train_candidates": "retrieved"}, None)]
    ways += [({"train_candidates": "retrieved"}, "order:shuffled")]
    ranks = [RANDOM.permutation(PLAIN[42]).tolist() for _ in ways]
    runs = [
        made(tmp_path, own, changes, "llamarec", probe=probe, **given)
        for own, (changes, probe) in zip(ranks, ways, strict=True)
    ]
    (found,) = shown(reproduce.parse_targets(["llamarec"]), [lists, *runs], [], [], None)
    by_change = {str(row.change): row for row in found.variants if row.system == "LlamaRec" and row.runs}
    places = {"probe": 1, "train_candidates": 2, "train_candidates, probe": 3}
    assert {", ".join(row.change): row.runs for row in by_change.values()} == {
        change: (runs[place].record.run, runs[0].record.run) for change, place in places.items()
    }
    assert len([row for row in found.variants if row.runs and row.change == {"probe": "order:shuffled"}]) == 3
    assert all(row.comparison.family == 3 * 3 for row in found.variants if row.comparison)
    (cell, *_) = (cell for cell in found.cells if cell.system == "LlamaRec" and cell.runs)
    assert cell.runs == (runs[0].record.run,)
    assert cell.configurations == 1
    text = render(found, [lists, *runs], "md", "harness report llamarec")
    assert "candidates=retrieved, probe=order:shuffled" in text


def test_no_verdict_hears_of_a_variant(tmp_path: Path) -> None:
    plain = [made(tmp_path, PLAIN[seed], {}, seed=seed) for seed in (42, 43)]
    alone = cells.cells(PAPER, "1", plain)
    changed = [made(tmp_path, CHANGED[42], change) for change in (NDCG, HISTORY)]
    beside = cells.cells(PAPER, "1", [*plain, *changed])
    assert beside == alone
    cheaper = [made(tmp_path, PLAIN[42], {}, profile="cpu")]
    assert cells.cells(PAPER, "1", [*cheaper, *changed]) == cells.cells(PAPER, "1", cheaper)
    assert not any(cell.runs for cell in cells.cells(PAPER, "1", changed))
    assert variants(PAPER, "variants", changed, []) == []


def test_what_seeds_share_with_and_without_the_change_is_no_uncertainty_of_the_change(tmp_path: Path) -> None:
    ranks = {42: [1, 20, 20, 20], 43: [1, 1, 1, 20]}
    runs = [made(tmp_path, ranks[seed], change, seed=seed) for seed in ranks for change in ({}, HISTORY)]
    found = rows(runs, HISTORY)[2].comparison
    assert found
    assert found.low_both == found.high_both == 0


def test_a_row_says_which_data_and_backbone_were_run(tmp_path: Path) -> None:
    lists = made(tmp_path, PLAIN[42], {}, profile="cpu")
    given: dict[str, Any] = {"profile": "cpu", "retriever": lists, "model": SMOL, "dataset": "ml-100k"}
    changes: tuple[dict[str, Any], ...] = ({}, {"loss_on": "prompt"})
    found = variants(
        PAPER, "variants", [lists, *(made(tmp_path, [1, 2], each, "llamarec", **given) for each in changes)], []
    )
    (row, *_) = (row for row in found if row.runs)
    assert (row.ran_dataset, row.backbone, row.profile) == ("ml-100k", SMOL.name, "cpu")
    (listing,) = listings(found, {"variants": ""})
    assert [line[-1] for line in listing.rows if line[-1]] == [f"cpu, ml-100k, {SMOL.name}"] * 3


def test_a_run_of_a_system_that_is_no_longer_there_is_passed_over(tmp_path: Path) -> None:
    runs = [made(tmp_path, PLAIN[42], {}), made(tmp_path, CHANGED[42], NDCG), make_run(tmp_path, "gone", [1, 2])]
    assert rows(runs, NDCG)[0].runs == (runs[1].record.run, runs[0].record.run)


def test_a_changed_run_is_planned_with_what_a_search_took_as_the_table_shows_it(tmp_path: Path) -> None:
    home = Home(tmp_path, None)
    taken = resolve("narm", "amazon-games-2014", "paper", 42, "cpu", {"dropout": 0.4})
    shown_run = make_run(
        home.runs, "narm", PLAIN[42], dataset="amazon-games-2014", profile="paper", settings=taken.settings
    )
    selection.write(make_search(taken, [{"dropout": 0.2}, {"dropout": 0.4}], shown_run.record.data), home.runs)
    (target,) = reproduce.parse_targets(["llamarec:variants"], whole=False)
    plain, *changed = reproduce.plan(target, {"Games": "amazon-games-2014"}, "paper", [42], "cpu", home, ["NARM"])
    assert plain.cached == shown_run.record.run
    settings = [each.config.settings for each in changed]
    assert [(one["dropout"], one["targets"]) for one in settings] == [(0.4, "last"), (0.4, "prefixes")]


@pytest.mark.parametrize("profile", profiles())
def test_each_change_of_a_paper_changes_what_a_profile_runs(profile: str) -> None:
    for paper in map(papers.load, papers.names()):
        for table in paper.tables.values():
            for change in table.changes if isinstance(table, Variants) else ():
                for dataset in change.datasets:
                    name = paper.datasets[dataset].name
                    system, both = paper.systems[change.system], change.both
                    assert not paper.varies(resolve(system, name, profile, 1, "cpu", both))
                    resolve(system, name, profile, 1, "cpu", both | change.settings)


def test_a_probe_that_no_change_names_stands_in_no_table(tmp_path: Path) -> None:
    plain = made(tmp_path, PLAIN[42], {})
    probed = made(tmp_path, CHANGED[42], {}, probe="permute-ids", started_at="2027-01-01T00:00:00+00:00")
    assert not PAPER.varies(plain.config)
    assert cells.cells(PAPER, "1", [plain, probed]) == cells.cells(PAPER, "1", [plain])
    assert not any(cell.runs for cell in cells.cells(PAPER, "1", [probed]))


def test_the_report_prints_the_rows_and_keeps_their_runs(tmp_path: Path) -> None:
    runs = [made(tmp_path / "runs", PLAIN[42], {}), made(tmp_path / "runs", CHANGED[42], NDCG)]
    (found,) = shown(reproduce.parse_targets(["llamarec"]), runs, [], [], None)
    text = render(found, runs, "md", "harness report llamarec")
    (line, *_) = (line for line in text.splitlines() if "monitor=NDCG@10" in line and "LRURec" in line)
    row = rows(runs, NDCG)[0]
    assert row.comparison
    assert [part.strip() for part in line.split("|")[4:9]] == [
        "Recall@5",
        "0.0705",
        f"{row.before:.4f}",
        f"{row.after:.4f}",
        f"{row.comparison.difference:+.4f} \\[{row.comparison.low:+.4f}, {row.comparison.high:+.4f}\\]",
    ]
    assert sum("loss=cross-entropy" in line and "not run" in line for line in text.splitlines()) == 3  # one a data set

    written = {path.name for path in write(found, runs, tmp_path / "out", "harness report llamarec")}
    assert {"llamarec-variants.csv", "llamarec-variants.json"} <= written
    keeping.keep([Shown("llamarec", [], variants=found.variants)], runs, [], tmp_path / "kept")
    assert {run.record.run for run in store.all_runs(tmp_path / "kept")} == {run.record.run for run in runs}


def test_a_report_without_any_changed_run_has_no_such_table(tmp_path: Path) -> None:
    runs = [made(tmp_path, PLAIN[42], {})]
    (found,) = shown(reproduce.parse_targets(["llamarec"]), runs, [], [], None)
    assert found.variants == []
    assert "monitor=NDCG@10" not in render(found, runs, "md", "harness report llamarec")


def test_the_plan_runs_each_change_and_the_same_without_it_and_nothing_else(tmp_path: Path) -> None:
    (target,) = reproduce.parse_targets(["llamarec:variants"], whole=False)
    home = Home(tmp_path, None)
    planned = reproduce.plan(target, {"Games": "amazon-games-2014"}, "paper", [1], "cpu", home, ["LRURec", "BERT4Rec"])
    configs: list[RunConfig] = [each.config for each in planned]
    changed = [(each.system, *(each.settings.get(key) for key in ("monitor", "targets"))) for each in configs]
    assert changed == [
        ("bert4rec", "Recall@10", None),
        ("bert4rec", "NDCG@10", None),
        ("lrurec", "Recall@10", "all"),
        ("lrurec", "NDCG@10", "all"),
        ("lrurec", "Recall@10", "last"),
        ("lrurec", "Recall@10", "all"),
    ]
    assert [each.task.exclude for each in configs] == ["window"] * 5 + ["none"]
    rankers = reproduce.plan(target, {"ML-100k": "ml-latest-small"}, "cpu", [1], "cpu", home, ["LlamaRec"])
    assert [(each.config.settings["train_candidates"], each.config.probe) for each in rankers] == [
        ("random", None),
        ("random", "order:shuffled"),
        ("random", None),
        ("retrieved", None),
        ("retrieved", "order:shuffled"),
    ]
    beauty = reproduce.plan(target, {"Beauty": "amazon-beauty-2014"}, "paper", [1], "cpu", home)
    assert {each.config.system for each in beauty} == {"narm", "sasrec"}


def test_a_change_is_made_to_what_a_search_took(tmp_path: Path) -> None:
    home = Home(tmp_path, None)
    taken = resolve("narm", "amazon-beauty-2014", "paper", 42, "cpu", {"dropout": 0.5})
    selection.write(make_search(taken, [{"dropout": 0.1}, {"dropout": 0.5}]), home.runs)
    (target,) = reproduce.parse_targets(["llamarec:variants"], whole=False)
    planned = reproduce.plan(target, {"Beauty": taken.dataset}, "paper", [43], "cpu", home, ["NARM"])
    changed = [(each.config.settings["dropout"], each.config.settings["targets"]) for each in planned]
    assert changed == [(0.5, "all"), (0.5, "last"), (0.5, "prefixes")]
