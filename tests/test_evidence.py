from pathlib import Path

import pytest

from harness import store
from harness.cells import cells
from harness.config import RunConfig
from harness.evidence import choose, configuration, gather, restrict
from harness.papers import paper as papers
from harness.record import FitRecord
from harness.resolve import complete, resolve
from harness.store import Run
from harness.system import find
from tests.made_runs import LLAMA, SMOL, make_run

REFERENCE = Path(__file__).parents[1] / "reports" / "reference"
GAMES = "amazon-games-2014"


def test_the_papers_data_comes_before_its_fallback(tmp_path: Path) -> None:
    fallback = make_run(tmp_path, "narm", [1, 2], dataset="ml-100k", profile="paper")
    own = make_run(tmp_path, "narm", [1, 2], profile="smoke")
    names = ("ml-latest-small", "ml-100k")
    assert choose([fallback, own], "narm", names) == ((own,), 1)
    assert choose([fallback], "narm", names) == ((fallback,), 1)
    assert choose([fallback, own], "sasrec", names) == ((), 0)


def test_the_most_expensive_profile_then_the_most_seeds(tmp_path: Path) -> None:
    cheap = [make_run(tmp_path, "narm", [1], profile="cpu", seed=seed) for seed in (42, 43, 44)]
    small = [make_run(tmp_path, "narm", [1], seed=seed, settings={"width": 1}) for seed in (43, 42)]
    large = [make_run(tmp_path, "narm", [1], seed=42, settings={"width": 2})]
    assert choose([*cheap, *large, *small], "narm", ["ml-latest-small"]) == ((small[1], small[0]), 3)
    assert choose(cheap, "narm", ["ml-latest-small"]) == (tuple(cheap), 1)


def test_the_latest_of_two_runs_of_one_seed_counts(tmp_path: Path) -> None:
    old = make_run(tmp_path, "narm", [1], started_at="2026-01-01T00:00:00+00:00")
    new = make_run(tmp_path, "narm", [2], started_at="2026-01-02T00:00:00+00:00")
    assert choose([new, old], "narm", ["ml-latest-small"]) == ((new,), 1)


def test_seeds_of_a_ranker_are_one_configuration_though_their_retrievers_runs_differ(tmp_path: Path) -> None:
    retrievers = [make_run(tmp_path, "lrurec", [1, 2], seed=seed) for seed in (42, 43)]
    rankers = [make_run(tmp_path, "llamarec", [1, 2], seed=r.config.seed, retriever=r) for r in retrievers]
    assert choose(rankers, "llamarec", ["ml-latest-small"]) == (tuple(rankers), 1)


def test_rankers_of_differently_trained_retrievers_are_two_configurations(tmp_path: Path) -> None:
    retrievers = [
        make_run(tmp_path, "lrurec", [1, 2], seed=seed, settings={"dropout": dropout})
        for seed, dropout in ((42, 0.2), (43, 0.5))
    ]
    rankers = [make_run(tmp_path, "llamarec", [1, 2], seed=r.config.seed, retriever=r) for r in retrievers]
    chosen, configurations = choose([*rankers, *retrievers], "llamarec", ["ml-latest-small"])
    assert (len(chosen), configurations) == (1, 2)


def test_a_summariser_of_that_name_with_other_weights_is_another_configuration(tmp_path: Path) -> None:
    other = SMOL.model_copy(update={"sha256": "f" * 64})
    runs = [make_run(tmp_path, "trsr-recurrent", [1], model=LLAMA, summarizer=by) for by in (None, SMOL, other)]
    without, one, two = map(configuration, runs)
    assert one == f"{without}\n{SMOL.sha256}"
    assert two != one
    assert without.endswith(f"\n{LLAMA.sha256}")


def test_seeds_asked_in_other_words_are_two_configurations(tmp_path: Path) -> None:
    asked = [
        make_run(tmp_path, "trsr-recurrent", [1], seed=seed, fit=FitRecord(notes={"prompts_sha256": words}))
        for seed, words in ((42, "a"), (43, "a"), (44, "b"))
    ]
    chosen, configurations = choose(asked, "trsr-recurrent", ["ml-latest-small"])
    assert ([run.config.seed for run in chosen], configurations) == ([42, 43], 2)


def test_only_users_that_the_same_seeds_retriever_found_count(tmp_path: Path) -> None:
    first = make_run(tmp_path, "lrurec", [20, 21, 1, 99], seed=42)
    second = make_run(tmp_path, "lrurec", [50, 3, 60, 70], seed=43)
    narm = [make_run(tmp_path, "narm", [5, 6, 7, 8], seed=seed) for seed in (42, 43, 44)]
    runs = [first, second, *narm]
    kept = restrict(gather(runs, "narm", ["ml-latest-small"]), runs, "lrurec", 20)
    assert [run.config.seed for run in kept.runs] == [42, 43]
    assert [outcomes.rank.tolist() for outcomes in kept.outcomes] == [[5, 7], [6]]


def test_another_profiles_retriever_does_not_count(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, "lrurec", [1, 2], profile="smoke"), make_run(tmp_path, "narm", [1, 2], profile="cpu")]
    assert restrict(gather(runs, "narm", ["ml-latest-small"]), runs, "lrurec", 20).runs == ()


def test_a_retriever_that_found_nobody_leaves_nothing(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, "lrurec", [21, 22]), make_run(tmp_path, "narm", [1, 2])]
    assert restrict(gather(runs, "narm", ["ml-latest-small"]), runs, "lrurec", 20).runs == ()


def test_all_columns_hold_the_users_whom_the_rankers_own_retriever_found(tmp_path: Path) -> None:
    retriever = make_run(tmp_path, "lrurec", [2, 30, 5])
    other = make_run(tmp_path, "lrurec", [2, 3, 50], settings={"dropout": 0.4}, started_at="2026-02-02")
    ranker = make_run(tmp_path, "llamarec", [1, 30, 9], retriever=retriever, asked=[True, False, True])
    narm = make_run(tmp_path, "narm", [7, 8, 9])
    runs = [retriever, other, ranker, narm]
    kept = {
        name: restrict(gather(runs, name, ["ml-latest-small"]), runs, "lrurec", 20) for name in ("llamarec", "narm")
    }
    assert kept["llamarec"].outcomes[0].rank.tolist() == [1, 9]
    assert kept["narm"].outcomes[0].rank.tolist() == [7, 9]


def test_a_ranker_behind_another_retriever_leaves_the_tables_retriever_its_users(tmp_path: Path) -> None:
    retriever = make_run(tmp_path, "lrurec", [2, 30, 5])
    narm = make_run(tmp_path, "narm", [7, 8, 9])
    ranker = make_run(tmp_path, "llamarec", [1, 2, 3], retriever=narm)
    runs = [retriever, narm, ranker]
    for name, ranks in (("narm", [7, 9]), ("llamarec", [1, 3])):
        kept = restrict(gather(runs, name, ["ml-latest-small"]), runs, "lrurec", 20)
        assert [outcomes.rank.tolist() for outcomes in kept.outcomes] == [ranks]


def test_the_users_of_all_seeds_are_those_of_one_configuration_of_the_retriever(tmp_path: Path) -> None:
    searched = make_run(tmp_path, "lrurec", [2, 30, 40], seed=42, settings={"dropout": 0.5}, started_at="2026-02-02")
    default = [make_run(tmp_path, "lrurec", [3, 4, 5], seed=seed) for seed in (43, 44)]
    narm = [make_run(tmp_path, "narm", [7, 8, 9], seed=seed) for seed in (42, 43, 44)]
    column = gather(narm, "narm", ["ml-latest-small"])
    runs = [searched, *default, *narm]
    assert [run.config.seed for run in restrict(column, runs, "lrurec", 20).runs] == [43, 44]
    ranker = make_run(tmp_path, "llamarec", [1, 30, 40], seed=42, retriever=searched)
    assert [run.config.seed for run in restrict(column, [*runs, ranker], "lrurec", 20).runs] == [42]
    further = make_run(tmp_path, "lrurec", [30, 2, 40], seed=43, settings={"dropout": 0.5})
    kept = restrict(column, [*runs, ranker, further], "lrurec", 20)
    assert [outcomes.rank.tolist() for outcomes in kept.outcomes] == [[7], [8]]


def made_as(folder: Path, system: str, profile: str, seed: int = 42, value: float = 0.1, **changes: object) -> Run:
    """A run of the configuration that a profile and ``--set`` resolve to, with a best validation value."""
    config = resolve(system, GAMES, profile, seed, "cpu", changes)
    fit = FitRecord(steps=7, curve=((7, value, 1.0),), best_step=7)
    kept = {"dataset": GAMES, "profile": config.profile, "settings": config.settings, "task": config.task, "fit": fit}
    return make_run(folder, system, [1], seed=seed, started_at=f"2026-01-01T00:00:{seed}", **kept)


VARIANTS = [
    ("lrurec", {"monitor": "NDCG@10"}),
    ("lrurec", {"targets": "last"}),
    ("sasrec", {"loss": "cross-entropy"}),
    ("sasrec", {"loss": "gbce", "negatives": 256}),
    ("bert4rec", {"loss": "gbce"}),
    ("narm", {"task.same_time": "item-reversed"}),
    ("narm", {"task.exclude": "history"}),
    ("narm", {"dropout": 0.35}),
]


@pytest.mark.parametrize(("system", "changes"), VARIANTS)
@pytest.mark.parametrize(("profile", "variants"), [("paper", "paper"), ("gpu", "paper"), ("cpu", "cpu")])
def test_a_variant_never_comes_before_the_papers_own(
    tmp_path: Path, system: str, changes: dict[str, object], profile: str, variants: str
) -> None:
    """Though it has more seeds, a better value on validation, a later start and as dear a profile, or a dearer one."""
    own = made_as(tmp_path, system, profile, 42, 0.1)
    tried = [made_as(tmp_path, system, variants, seed, 0.9, **changes) for seed in (43, 44, 45)]
    assert choose([own, *tried], system, [GAMES]) == ((own,), 2)
    assert choose(tried, system, [GAMES]) == (tuple(tried), 1)


def test_points_of_the_grid_that_no_search_took_come_after_the_default_and_by_validation(tmp_path: Path) -> None:
    default, *others = (
        made_as(tmp_path, "narm", "paper", value=value, dropout=dropout)
        for dropout, value in ((0.2, 0.1), (0.5, 0.3), (0.4, 0.2))
    )
    assert choose([default, *others], "narm", [GAMES]) == ((default,), 3)
    assert choose(others, "narm", [GAMES]) == ((others[0],), 2)


def test_a_key_that_a_kept_run_lacks_is_at_its_default(tmp_path: Path) -> None:
    settings = resolve("sasrec", GAMES, "paper", 42, "cpu").settings
    before = {key: settings[key] for key in settings if key not in ("monitor", "targets")}
    old = make_run(tmp_path, "sasrec", [1], dataset=GAMES, settings=before)
    new = made_as(tmp_path, "sasrec", "paper", 43)
    variant = made_as(tmp_path, "sasrec", "paper", 44, monitor="NDCG@10")
    assert configuration(old) == configuration(new) != configuration(variant)
    assert choose([old, new, variant], "sasrec", [GAMES]) == ((old, new), 2)


def test_a_key_of_the_task_that_a_kept_run_lacks_is_at_its_default() -> None:
    config = resolve("narm", GAMES, "paper", 42, "cpu")
    kept = config.model_dump(mode="json")
    del kept["task"]["same_time"]
    assert RunConfig.model_validate(kept) == config


def test_settings_that_no_system_takes_stay_as_they_are(tmp_path: Path) -> None:
    plugged = make_run(tmp_path, "elsewhere", [1], settings={"depth": 3})
    dropped = make_run(tmp_path, "narm", [1], settings={"depth": 3})
    assert [complete(run.config).settings for run in (plugged, dropped)] == [{"depth": 3}] * 2
    assert configuration(plugged) != configuration(dropped)


def test_every_kept_run_means_what_it_meant() -> None:
    runs = store.all_runs(REFERENCE)
    assert runs
    for run in runs:
        spec, now = find(run.config.system), complete(run.config).settings
        assert now.keys() == spec.config.model_fields.keys()
        gained = {key: value for key, value in now.items() if key not in run.config.settings}
        assert {**now, **run.config.settings} == now
        assert gained == {key: spec.config().model_dump(mode="json")[key] for key in gained}


def test_a_probe_stands_behind_no_cell_and_is_no_configuration(tmp_path: Path) -> None:
    paper = papers.load("llamarec")
    probed = make_run(tmp_path / "probed", "lrurec", [1, 1], probe="ceiling", started_at="2026-02-02")

    def behind() -> set[str]:
        runs = store.all_runs(tmp_path)
        return {run for number in ("1", "2") for cell in cells(paper, number, runs) for run in cell.runs}

    assert behind() == set()
    own = make_run(tmp_path / "own", "lrurec", [7, 9])
    assert choose(store.all_runs(tmp_path), "lrurec", ["ml-latest-small"]) == ((own,), 1)
    assert behind() == {own.record.run} != {probed.record.run}
