import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.data.cases import Sizes, by_hash
from harness.data.dataset import Dataset
from harness.data.readers import sessions
from harness.data.splits import split_of
from harness.errors import InputError

MIRROR = os.environ.get("LLMREC_MIRROR")
ITEMS = [
    {"item": number, "title": f"Tool {number}", "description": "", "brand": "B", "categories": ""}
    for number in range(12)
]
ROWS = [
    "valid\tA1\t0 1 2 3 4 5\t6",
    "valid\tA1\t0 1 2 3 4 5 6\t7",
    "valid\tA2\t5 4 3 2 1 0\t5",
    "valid\tA3\t0 1 2 3 4\t5",
    "valid\tA4\t0 1 2 3 4 5\t9",
    "test\tA4\t1 2 3 4 5 9\t8",
    "test\tA5\t6 7 8 9 10 11\t6",
    "test\tA5\t7 8 9 10 11 6\t0",
    "test\tA6\t0 1\t2",
    "valid\tA6\t0 1 2 3 4 5\t6",
]
SIZES = Sizes(train=1, validation=1, test=2)


def read(folder: Path, rows: Sequence[str] = ROWS, items: Sequence[object] = ITEMS, sizes: Sizes = SIZES) -> Dataset:
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)) + "\n")
    (folder / "sessions.tsv").write_text("\n".join(["split\tuser\thistory\ttarget", *rows]) + "\n")
    return sessions.read("set", folder / "items.jsonl", folder / "sessions.tsv", sizes)


def test_one_case_a_user_and_none_that_is_tested_trains(tmp_path: Path) -> None:
    made = read(tmp_path)
    assert made.raw_users == ("", "A1", "A2", "A4", "A5")
    raw = [[int(made.raw_items[item]) for item in items] for items in made.sequences]
    assert raw == [[0, 1, 2, 3, 4, 5, 6, 7], [5, 4, 3, 2, 1, 0, 5], [1, 2, 3, 4, 5, 9, 8], [7, 8, 9, 10, 11, 6, 0]]
    first, second = by_hash(["A1", "A2"])
    assert made.parts is not None
    by_user = dict(zip(made.raw_users[1:], made.parts[1:], strict=True))
    assert by_user == {first: "train", second: "validation", "A4": "test", "A5": "test"}


def test_ids_start_at_1_however_the_files_count(tmp_path: Path) -> None:
    made = read(tmp_path)
    assert made.raw_items == ("", *map(str, range(12)))
    assert made.titles[1] == "Tool 0"
    assert list(made.fields) == ["description", "brand", "categories"]


def test_targets_in_their_own_history_are_kept_and_counted(tmp_path: Path) -> None:
    notes = read(tmp_path).notes
    assert "1 of 4 answers stand in their own history" in notes
    assert "2 of 10 rows, taken or not, have a target that stands in its own history" in notes


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("valid\tA9\t0 77\t1", r"sessions\.tsv, line 12: item '77' is not in items\.jsonl"),
        ("valid\tA9\t0 1\t77", r"sessions\.tsv, line 12: item '77' is not in items\.jsonl"),
        ("train\tA9\t0 1\t2", r"sessions\.tsv, line 12: split 'train'; expected valid or test"),
        ("valid\tA9\t\t2", r"sessions\.tsv, line 12: the history is empty"),
        ("valid\tA9\t0 1", r"sessions\.tsv, line 12: 3 fields, expected 4"),
        ("test\tA9\t0 1 2 3 4 5\t6", "set: 2 users to train on and 3 to test, expected 2 and 2"),
        ("valid\tA9\t0 1 2 3 4 5\t6", "set: 3 users to train on and 2 to test, expected 2 and 2"),
    ],
)
def test_a_bad_session_names_its_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, [*ROWS, row])


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (ITEMS[3], "lines 4 and 13: the same item twice"),
        ({"item": "12", "title": ""}, "line 13: expected a JSON object with a whole number 'item' and texts title"),
        ({**ITEMS[0], "item": True}, "line 13: expected a JSON object"),
        ({**ITEMS[0], "item": 12, "brand": None}, "line 13: expected a JSON object"),
        ([], "line 13: expected a JSON object"),
    ],
)
def test_a_bad_item_names_its_line(tmp_path: Path, item: object, message: str) -> None:
    with pytest.raises(InputError, match=rf"items\.jsonl, {message}"):
        read(tmp_path, items=[*ITEMS, item])


@pytest.mark.skipif(not MIRROR, reason="LLMREC_MIRROR names no mirror of the papers' data")
@pytest.mark.parametrize(
    ("folder", "sizes", "repeated"),
    [
        ("amazon-industrial-2018", Sizes(train=434, validation=87, test=826), "364 of 9065"),
        ("amazon-office-2018", Sizes(train=362, validation=72, test=890), "400 of 9732"),
    ],
)
def test_no_held_out_answer_of_the_real_sets_is_learnt_from_its_own_user(
    folder: str, sizes: Sizes, repeated: str
) -> None:
    path = Path(MIRROR or "") / folder
    made = sessions.read(folder, path / "items.jsonl.gz", path / "sessions.tsv.gz", sizes)
    assert any(note.startswith(repeated) for note in made.notes)
    split = split_of(made)
    assert made.parts is not None
    for user, part in enumerate(made.parts[1:], 1):
        kept = made.sequences[user] if part == "train" else made.sequences[user][:-1]
        assert split.train[user].tolist() == kept.tolist()
        assert 6 <= len(made.sequences[user]) - 1 <= 10
