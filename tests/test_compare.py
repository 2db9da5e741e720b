import json
from pathlib import Path

import pytest

from harness.compare import compare, systems
from harness.config import TaskConfig
from harness.errors import InputError
from harness.show import comparisons
from tests.made_runs import NEVER_HELD, make_run


def test_seeds_of_one_configuration_are_one_system(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, "narm", [1, 2], seed=seed) for seed in (42, 43)]
    wide = make_run(tmp_path, "narm", [3, 4], settings={"width": 128})
    other = make_run(tmp_path, "sasrec", [5, 6])
    named = systems([runs[0], other, runs[1], wide], {})
    assert [(side.name, len(side.runs)) for side in named] == [
        (f"narm {runs[0].record.run}", 2),
        ("sasrec", 1),
        (f"narm {wide.record.run}", 1),
    ]


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    narm, sasrec = make_run(tmp_path, "narm", [1, 2]), make_run(tmp_path, "sasrec", [1, 2])
    elsewhere = make_run(tmp_path, "lrurec", [1, 2], data=(NEVER_HELD,))
    with pytest.raises(InputError, match=f"run {elsewhere.record.run}: read other data"):
        compare([narm, elsewhere], {})
    with pytest.raises(InputError, match="of one system and configuration"):
        compare([narm], {})
    with pytest.raises(InputError, match="was asked another task"):
        compare([narm, make_run(tmp_path, "lrurec", [1, 2], task=TaskConfig(same_time="shuffled"))], {})
    again = make_run(tmp_path, "narm", [2, 2])
    with pytest.raises(InputError, match="two runs of its configuration and seed"):
        compare([narm, sasrec, again], {})
    longer = make_run(tmp_path, "bert4rec", [1, 2, 3])
    counted = f"{narm.record.run} and run {longer.record.run} answered different queries: 0 only the first, 1 only the"
    with pytest.raises(InputError, match=counted):
        compare([narm, sasrec, longer], {})


def test_a_rankers_configuration_includes_its_retrievers(tmp_path: Path) -> None:
    cheap, dear = make_run(tmp_path, "lrurec", [1, 2], profile="cpu"), make_run(tmp_path, "lrurec", [2, 1])
    rankers = [make_run(tmp_path, "llamarec", [1, 1], retriever=each) for each in (cheap, dear)]
    known = {run.record.run: run for run in (cheap, dear)}
    assert [len(side.runs) for side in systems(rankers, known)] == [1, 1]
    assert [side.draws for side in systems([*rankers, dear], known)] == [(cheap.record.run,), *[(dear.record.run,)] * 2]


def test_of_drawn_candidates_only_runs_of_the_same_seeds_answered_the_same_queries(tmp_path: Path) -> None:
    task = TaskConfig(name="candidates")
    narm = [make_run(tmp_path, "narm", [1, 2, 7], seed=seed, task=task) for seed in (42, 43)]
    sasrec = [make_run(tmp_path, "sasrec", [2, 2, 9], seed=seed, task=task) for seed in (42, 43)]
    drawn = ("candidates of seed 42", "candidates of seed 43")
    assert [side.draws for side in systems([*narm, *sasrec], {})] == [drawn, drawn]
    found = compare([*narm, *sasrec], {}, permutations=199)
    assert [row.metric for row in found] == [
        f"{metric}@{k}" for k in (3, 5, 10) for metric in ("Recall", "MRR", "NDCG")
    ]
    with pytest.raises(InputError, match=f"run {narm[0].record.run}: its configuration has no run of seed 43, which"):
        compare([narm[0], sasrec[1]], {})
    with pytest.raises(InputError, match=f"run {sasrec[0].record.run}: its configuration has no run of seed 43"):
        compare([*narm, sasrec[0]], {})


def test_with_several_seeds_a_side_the_test_over_users_and_seeds_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranks = {42: [1, 2, 3, 4, 5, 6, 7, 8], 43: [1, 2, 3, 4, 5, 6, 7, 20]}
    sides = [
        make_run(tmp_path, name, [rank + worse for rank in own], seed=seed)
        for name, worse in (("narm", 0), ("sasrec", 1))
        for seed, own in ranks.items()
    ]
    rows = compare(sides, {}, permutations=999)
    assert {(row.seeds_a, row.seeds_b, row.family, row.p_mcnemar) for row in rows} == {(2, 2, 6, None)}
    mrr = next(row for row in rows if row.metric == "MRR@5")
    assert mrr.p_both is not None
    assert mrr.p_deciding == mrr.p_both
    assert mrr.low_both < mrr.low < mrr.difference < mrr.high < mrr.high_both
    comparisons(rows, 999, as_json=False)
    printed = capsys.readouterr().out
    assert f"[{mrr.low_both:+.4f}, {mrr.high_both:+.4f}]" in printed
    assert f"{mrr.se_seeds:.4f}" in printed


def test_json_has_the_documented_keys_and_the_table_names_its_family(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = compare(
        [make_run(tmp_path, "narm", [1, 2, 3]), make_run(tmp_path, "sasrec", [3, 9, 2])], {}, permutations=999
    )
    comparisons(rows, 999, as_json=True)
    documented = {"metric", "a", "b", "difference", "low", "high", "p", "p_holm", "effect", "p_t", "p_wilcoxon"}
    documented |= {"p_mcnemar", "superiority", "wins", "ties", "losses", "mde_80", "n_needed"}
    assert all(documented <= set(row) for row in json.loads(capsys.readouterr().out))
    comparisons(rows, 999, as_json=False)
    printed = " ".join(capsys.readouterr().out.split())
    assert "narm less sasrec, 3 queries, 1 seed each" in printed
    assert "a family of 6 tests" in printed
