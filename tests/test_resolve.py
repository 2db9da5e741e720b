import pytest

import baselines  # noqa: F401  registers the systems
from harness.config import Retriever
from harness.errors import InputError
from harness.resolve import follows, is_paper_budget, parse_assignments, profiles, resolve
from harness.resolve import test_limit as limit
from harness.system import systems

SYSTEMS = ("popularity", "narm", "sasrec", "bert4rec", "lrurec", "gru4rec", "core", "ncf", "din", "dien")


def test_the_papers_shapes_follow_the_data_set() -> None:
    movies = resolve("lrurec", "ml-latest-small", "paper", 42, "cpu")
    beauty = resolve("lrurec", "amazon-beauty-2014", "paper", 42, "cpu")
    assert (movies.task.window, movies.settings["batch_size"]) == (200, 16)
    assert (beauty.task.window, beauty.settings["batch_size"]) == (50, 64)
    assert movies.settings["max_epochs"] == 500
    assert movies.settings["validate_every"] == 500
    assert movies.settings["patience"] == 20
    assert movies.settings["learning_rate"] == 1e-3


@pytest.mark.parametrize(
    ("dataset", "window"), [("mind-small-sample", 25), ("amazon-m2", 25), ("amazon-office-2018", 10)]
)
@pytest.mark.parametrize("profile", profiles())
def test_case_sets_are_asked_among_candidates_unless_told_otherwise(dataset: str, window: int, profile: str) -> None:
    config = resolve("popularity", dataset, profile, 42, "cpu")
    assert (config.task.name, config.task.window, config.task.candidates) == ("candidates", window, 20)
    assert config.task.negatives == "uniform"
    assert resolve("popularity", dataset, profile, 42, "cpu", {"task.name": "next-item"}).task.name == "next-item"
    assert resolve("popularity", "ml-100k", profile, 42, "cpu").task.name == "next-item"


@pytest.mark.parametrize(
    ("system", "assignment", "complaint"),
    [
        ("trsr-recurrent", "temperature=1e-9", "temperature: Input should be greater than or equal to 0.001"),
        ("trsr-recurrent", "temperature=Infinity", "temperature: Input should be a finite number"),
        ("trsr-recurrent", "betas=[0.9, 1.0]", "betas.1: Input should be less than 1"),
        ("trsr-recurrent", "betas=[-0.1, 0.9]", "betas.0: Input should be greater than or equal to 0"),
        ("llamarec", "betas=[NaN, 0.9]", "betas.0: Input should be"),
        ("llamarec", "learning_rate=Infinity", "learning_rate: Input should be a finite number"),
        ("tallrec", "weight_decay=Infinity", "weight_decay: Input should be a finite number"),
        ("sasrec", "learning_rate=Infinity", "learning_rate: Input should be a finite number"),
        ("core", "temperature=Infinity", "temperature: Input should be a finite number"),
        ("popularity-category", "weight=NaN", "weight: Input should be a finite number"),
        ("trsr-recurrent", 'summarizer=""', "summarizer: String should have at least 1 character"),
        ("trsr-recurrent", "summarizer=", "summarizer: String should have"),
        ("trsr-recurrent", "monitor=NDGC@10", "monitor: 'NDGC@10' is no .* Recall, MRR, NDCG"),
    ],
)
def test_settings_that_no_run_can_have_are_refused(system: str, assignment: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        resolve(system, "mind-small-sample", "smoke", 42, "cpu", parse_assignments([assignment], {}))


def test_the_later_layer_wins() -> None:
    changes = parse_assignments(["dropout=0.4", "task.exclude=history", "task.window=7"], {})
    config = resolve("sasrec", "ml-latest-small", "smoke", 1, "cpu", changes)
    assert config.settings["dropout"] == 0.4
    assert (config.task.exclude, config.task.window) == ("history", 7)
    assert config.settings["max_steps"] < 20


@pytest.mark.parametrize("system", [*SYSTEMS, "llamarec"])
@pytest.mark.parametrize("profile", profiles())
@pytest.mark.parametrize(
    "dataset", ["ml-latest-small", "ml-100k", "amazon-games-2014", "mind-small-sample", "my/own/folder"]
)
def test_every_profile_resolves_for_every_system(system: str, profile: str, dataset: str) -> None:
    config = resolve(system, dataset, profile, 42, "cpu")
    assert systems()[system].config.model_validate(config.settings).model_dump(mode="json") == config.settings
    whole = profile == "paper" or not config.settings or (profile == "gpu" and system != "llamarec")
    assert is_paper_budget(config) == (whole and config.task.test_limit is None)


@pytest.mark.parametrize(
    ("assignment", "same"),
    [
        ("dropout=0.5", True),
        ("weight_decay=0", True),
        ("dropout=0.45", False),
        ("max_steps=100", False),
        ("task.exclude=none", False),
        ("task.same_time=shuffled", False),
        ("monitor=Recall@10", True),
        ("monitor=NDCG@10", False),
        ("targets=last", False),
        ("loss=bce", False),
    ],
)
def test_a_point_of_the_papers_grid_is_the_papers_budget(assignment: str, same: bool) -> None:
    config = resolve("lrurec", "amazon-games-2014", "paper", 7, "cuda", parse_assignments([assignment], {}))
    assert is_paper_budget(config) is same


def test_another_retriever_than_the_papers_is_another_budget() -> None:
    config = resolve("llamarec", "amazon-games-2014", "paper", 7, "cuda")
    ranked = {
        name: config.model_copy(update={"retriever": Retriever(system=name, run="0")}) for name in ("lrurec", "narm")
    }
    assert is_paper_budget(ranked["lrurec"])
    assert not is_paper_budget(ranked["narm"])


@pytest.mark.parametrize(
    ("system", "profile", "assignments", "message"),
    [
        ("lrurek", "cpu", [], "system 'lrurek' is unknown; known: .*lrurec"),
        ("lrurec", "fast", [], "profile 'fast' is unknown; known: smoke, cpu, gpu, paper"),
        ("lrurec", "cpu", ["droput=0.1"], "setting 'droput': lrurec has none of that name; known: .*dropout"),
        ("lrurec", "cpu", ["task.windw=9"], "setting 'windw': task has none of that name; known: .*window"),
        ("lrurec", "cpu", ["dropout=much"], "settings of lrurec: dropout: .*number"),
        ("lrurec", "cpu", ["task.window=0"], "task: window: .*greater than or equal to 1"),
        ("lrurec", "cpu", ["task.exclude=all"], "task: exclude: .*'window', 'history' or 'none'"),
        ("lrurec", "cpu", ["dropout"], "--set dropout: expected key=value"),
        ("lrurec", "cpu", ["dropout=[1"], "settings of lrurec: dropout: .*number"),
        ("lrurec", "cpu", ["max_steps=yes"], "settings of lrurec: max_steps: .*integer"),
        ("lrurec", "cpu", ["monitor=NDGC@10"], "settings of lrurec: monitor: 'NDGC@10' is no .* Recall, MRR, NDCG"),
    ],
)
def test_bad_input_is_one_line_that_names_the_key(
    system: str, profile: str, assignments: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        resolve(system, "ml-100k", profile, 1, "cpu", parse_assignments(assignments, {}))
    assert "\n" not in str(error.value)


def test_a_tasks_settings_hold_for_its_runs_alone() -> None:
    asked = {"task.name": "candidates"}
    sampled = resolve("popularity", "ml-latest-small", "smoke", 1, "cpu", asked)
    assert (sampled.task.test_limit, sampled.task.window) == (24, 200)
    assert resolve("popularity", "ml-latest-small", "smoke", 1, "cpu").task.test_limit is None
    assert resolve("popularity", "mind-small-sample", "smoke", 1, "cpu").task.test_limit == 24
    assert resolve("popularity", "ml-latest-small", "paper", 1, "cpu", asked).task.test_limit is None
    assert (limit(sampled), limit(resolve("popularity", "mind-small-sample", "cpu", 1, "cpu"))) == (24, 64)
    assert (follows(sampled, "smoke"), follows(sampled, "paper")) == (True, False)


def test_the_batch_of_one_papers_systems_is_not_anothers() -> None:
    def batch(system: str, profile: str = "paper") -> int:
        return resolve(system, "ml-latest-small", profile, 42, "cpu").settings["batch_size"]

    assert {batch(name) for name in ("narm", "sasrec", "bert4rec", "lrurec", "gru4rec", "core", "llamarec")} == {16}
    assert [batch(name) for name in ("ncf", "din", "dien", "tallrec")] == [256, 32, 128, 32]
    assert [batch("llamarec", "cpu"), batch("tallrec", "cpu")] == [8, 8]  # what fits wins over the paper's


def test_what_a_profile_says_of_a_system_on_a_data_set_wins_over_what_it_says_of_it() -> None:
    few = resolve("narm", "mind-small-sample", "cpu", 42, "cpu", {"task.name": "next-item"})
    assert (few.settings["max_steps"], few.settings["validate_every"]) == (60, 15)
