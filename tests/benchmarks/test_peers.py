import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.peers import compare, harness_side, jobs, recbole_side, rows
from harness.data.splits import leave_one_out
from harness.errors import InputError, WorkError
from tests.worlds import dataset, random_histories

JOB = jobs.SIZES | {"width": 8, "length": 6, "batch": 16, "train_s": 0.0, "until_ndcg": 2.0}


def test_atomic_file_by_hand(tmp_path: Path) -> None:
    name = jobs.write_atomic(dataset([[3, 1, 2], [2, 3, 1, 4]]), tmp_path)
    lines = (tmp_path / name / f"{name}.inter").read_text().splitlines()
    assert lines[0].split("\t") == ["user_id:token", "item_id:token", "timestamp:float"]
    assert lines[1:] == ["1\t3\t0", "1\t1\t1", "1\t2\t2", "2\t2\t0", "2\t3\t1", "2\t1\t2", "2\t4\t3"]


def test_recbole_does_not_take_the_set_for_its_own(tmp_path: Path) -> None:
    assert jobs.write_atomic(dataset([[1, 2, 3]]), tmp_path) not in ("ml-100k", "ml-1m")


def test_beauty_sized_has_every_item_and_beautys_mean_length() -> None:
    made = jobs.beauty_sized(2_000)
    assert np.array_equal(np.unique(made.sequences.items), np.arange(1, jobs.BEAUTY_ITEMS + 1))
    lengths = np.diff(made.sequences.offsets)
    assert lengths.min() == jobs.BEAUTY_SHORTEST
    assert lengths.mean() == pytest.approx(8.876, abs=0.3)


@pytest.mark.parametrize("system", ["sasrec", "narm"])
def test_an_epoch_trains_every_item_but_the_first_once(system: str) -> None:
    made = dataset(random_histories(users=30, items=20, longest=15))
    result = harness_side.training(made, JOB | {"system": system, "batch": 1_000})
    point = result["curve"][-1]
    assert result["epoch_steps"] == 1
    assert point["targets"] == point["steps"] * (len(leave_one_out(made).train.items) - made.n_users)


def test_bert4rec_counts_masked_items_only() -> None:
    made = dataset([[1, 2, 3, 4, 5, 6, 7]] * 16)  # 5 items to train on: 1 masked, whether the last one or another
    point = harness_side.training(made, JOB | {"system": "bert4rec"})["curve"][-1]
    assert point["targets"] == 16 * point["steps"]


def test_training_stops_at_the_validation_that_reaches_the_value() -> None:
    job = JOB | {"system": "narm", "train_s": 1e9, "until_ndcg": 0.0}
    curve = harness_side.training(dataset(random_histories(30, 20)), job)["curve"]
    assert len(curve) == 1


def test_targets_of_a_recbole_batch() -> None:
    assert recbole_side.target_count({"item_id": torch.tensor([4, 5, 6])}) == 3
    masked = {"item_id": torch.tensor([4, 5]), "MASK_INDEX": torch.tensor([[0, 0, 3], [0, 1, 2]])}
    assert recbole_side.target_count(masked) == 3


def test_result_is_the_last_line() -> None:
    assert compare.last_line('a warning\n{"curve": []}\n', "x") == {"curve": []}
    for output in ("", "done\n", '{"a": 1}\nbye\n', "3\n"):
        with pytest.raises(WorkError, match="expected a JSON object"):
            compare.last_line(output, "x")


def test_a_side_is_asked_in_a_process_of_its_own_and_its_failure_told() -> None:
    job = {"measure": "ranking", "system": "narm"}
    echo = (sys.executable, "-c", "import sys; print('noise'); print(sys.stdin.read())")
    assert compare.ask(echo, job) == job
    with pytest.raises(WorkError, match="ranking of narm: no such thing$"):
        compare.ask((sys.executable, "-c", "import sys; sys.exit('no such thing')"), job)


def test_sides_that_read_other_data_are_not_compared() -> None:
    compare.check_same_data({"users": 3, "items": 4}, {"users": 3, "items": 4})
    with pytest.raises(WorkError, match="the harness read 4 items, RecBole 5"):
        compare.check_same_data({"users": 3, "items": 4}, {"users": 3, "items": 5})


def test_unknown_profile() -> None:
    with pytest.raises(InputError, match="LLMREC_PROFILE=huge"):
        jobs.plan("huge")


def result(curve: list[tuple[int, int, float, float]], epoch_steps: int) -> rows.Result:
    """Points of (steps, targets, train_s, ndcg)."""
    keys = ("steps", "targets", "train_s", "ndcg")
    points = [dict(zip(keys, point, strict=True)) | {"evaluate_s": 0.5} for point in curve]
    return {"curve": points, "epoch_steps": epoch_steps, "users": 9, "items": 7}


def test_rows_by_hand() -> None:
    peer = result([(10, 100, 20.0, 0.03), (20, 200, 40.0, 0.05), (30, 300, 60.0, 0.05)], epoch_steps=60)
    ours = result([(1, 1000, 2.0, 0.04), (2, 2000, 4.0, 0.06)], epoch_steps=2)
    speed, epoch, evaluation = rows.training_rows("narm", ours, peer)
    reach = rows.reach_row("narm", ours, peer, batch=64)
    assert (speed.harness, speed.recbole, speed.times, speed.verdict) == (500.0, 5.0, 100.0, "15x met")
    assert (epoch.harness, epoch.recbole, epoch.times, epoch.note) == (
        4.0,
        120.0,
        30.0,
        "RecBole's from 30 of 60 steps",
    )
    assert (reach.harness, reach.recbole, reach.times) == (4.0, 40.0, 10.0)
    assert evaluation.times == 1.0


def test_what_is_not_reached_says_so() -> None:
    peer = result([(10, 100, 20.0, 0.05)], epoch_steps=10)
    ours = result([(2, 2000, 20.0, 0.04)], epoch_steps=2)
    _, epoch, _ = rows.training_rows("narm", ours, peer)
    reach = rows.reach_row("narm", ours, peer, batch=64)
    assert epoch.note == ""
    assert (reach.harness, reach.times, reach.note) == (
        None,
        None,
        "the harness's batch: 64; it came to 0.0400 in 20 s",
    )
    assert "not reached" in rows.as_table([reach])


def test_missed_goal_is_printed() -> None:
    ours, peer = ({"evaluate_s": 1.0, "peak_bytes": 2**20 * size, "users": 9, "items": 7} for size in (30, 90))
    time, memory = rows.ranking_rows("sasrec", ours, peer, 4096, judged=True)
    assert (time.verdict, memory.verdict, memory.times) == ("2x missed", "5x missed", 3.0)
    assert all(row.verdict == "" for row in rows.ranking_rows("sasrec", ours, peer, 256, judged=False))


def test_job_can_be_sent() -> None:
    assert json.loads(json.dumps(JOB)) == JOB


def test_the_readmes_numbers_are_the_kept_measurement() -> None:
    folder = Path(compare.__file__).parent
    kept = json.loads((folder / "measured.json").read_text())["rows"]
    measured = [[row[key] for row in kept] for key in ("harness", "recbole", "times")]
    printed = [line.split(" | ")[-3:] for line in (folder / "README.md").read_text().splitlines() if line[:2] == "| "]
    rows = [row for row in printed if row[0][0].isdigit()]
    assert len(rows) == 10
    for row in rows:
        for cell, known in zip(row, measured, strict=True):
            for number in cell.strip("| ").split(", "):
                places = len(number.partition(".")[2])
                assert any(f"{value:,.{places}f}" == number for value in known), (row, number)
