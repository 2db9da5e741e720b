import gzip
from pathlib import Path

import pytest

from harness.data.readers import prepared
from harness.data.splits import leave_one_out
from harness.errors import InputError

INTERACTIONS = """user\tpos\titem\tsplit
7\t0\t5\ttrain
7\t2\t0\tval
10\t5\t5\ttrain
7\t3\t40\ttest
7\t1\t40\ttrain
10\t9\t40\ttest
10\t6\t0\tval
"""
ITEMS = "item\traw_id\ttitle\tbrand\n5\tB5\tFive &amp; more\tx\n40\tB40\tForty\t\n0\tB0\tNought\ty\n9\tB9\tNine\tz\n"
USERS = "user\traw_id\n10\tten\n7\tseven\n"


def read(folder: Path, interactions: str = INTERACTIONS, items: str = ITEMS, users: str | None = USERS):
    (folder / "interactions.tsv").write_text(interactions)
    (folder / "items.tsv").write_text(items)
    if users:
        (folder / "users.tsv").write_text(users)
    return prepared.read("set", *prepared.find_files(folder))


def test_ids_follow_the_folders_ids_and_every_item_stays(tmp_path: Path) -> None:
    made = read(tmp_path)
    assert made.raw_items == ("", "B0", "B5", "B9", "B40")
    assert made.titles == ("", "Nought", "Five &amp; more", "Nine", "Forty")
    assert made.fields == {"brand": ("", "y", "x", "z", "")}
    assert made.raw_users == ("", "seven", "ten")
    assert [items.tolist() for items in made.sequences] == [[2, 4, 1, 4], [2, 1, 4]]
    assert made.times is None
    split = leave_one_out(made)
    assert split.validation.tolist() == [1, 1]
    assert split.test.tolist() == [4, 4]


def test_packed_files_windows_ends_and_no_users_file(tmp_path: Path) -> None:
    for name, text in (("interactions", INTERACTIONS), ("items", ITEMS)):
        content = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
        (tmp_path / f"{name}.tsv.gz").write_bytes(gzip.compress(content))
    made = prepared.read("set", *prepared.find_files(tmp_path))
    assert made.raw_users == ("", "7", "10")
    assert [items.tolist() for items in made.sequences] == [[2, 4, 1, 4], [2, 1, 4]]


def test_ids_may_be_any_text(tmp_path: Path) -> None:
    rows = "u é\t0\tb\ttrain\nu é\t1\ta\tval\nu é\t2\tb\ttest\n"
    made = read(tmp_path, f"user\tpos\titem\tsplit\n{rows}", "item\ttitle\nb\tB\na\tA\n", None)
    assert made.raw_users == ("", "u é")
    assert made.raw_items == ("", "a", "b")
    assert made.sequences[1].tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "7\t2\t0\tval",
            "7\t2\t0\ttrain",
            r"interactions\.tsv, line 3: user '7' has split 'train' here, expected 'val'",
        ),
        ("7\t3\t40\ttest", "7\t3\t40\tholdout", "line 5: user '7' has split 'holdout' here, expected 'test'"),
        ("7\t1\t40\ttrain", "7\t1\t40\ttest", "line 6: user '7' has split 'test' here, expected 'train'"),
        ("10\t6\t0\tval\n", "", "line 4: user '10' has 2 items, at least 3 are needed"),
        ("7\t3\t40", "7\t3\t41", r"line 5: item '41' is not in items\.tsv"),
        ("7\t3\t40", "7\t2\t40", "lines 3 and 5: the same user, pos twice"),
        ("7\t3\t40", "7\t-3\t40", "line 5: pos '-3' is no whole number"),
        ("7\t3\t40", "7\tlate\t40", "line 5: pos 'late' is no whole number"),
        ("7\t3\t40\ttest", "7\t3\t40", "line 5: 3 fields, expected 4"),
        ("7\t3\t40", "\t3\t40", "line 5: the user is empty"),
        ("\tsplit", "\tpart", "line 1: no column 'split'"),
    ],
)
def test_a_bad_interaction_names_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, INTERACTIONS.replace(old, new))


def test_bad_items_and_users(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"items\.tsv, line 1: no column 'title'"):
        read(tmp_path, items=ITEMS.replace("title", "name"))
    with pytest.raises(InputError, match=r"items\.tsv, line 3: the title is empty"):
        read(tmp_path, items=ITEMS.replace("Forty", ""))
    with pytest.raises(InputError, match=r"items\.tsv, lines 2 and 6: the same item twice"):
        read(tmp_path, items=ITEMS + "5\tC\tAgain\t\n")
    with pytest.raises(InputError, match=r"users\.tsv: user '10' of the interactions is not in it"):
        read(tmp_path, users="user\traw_id\n7\tseven\n")


def test_a_folder_without_the_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no interactions\.tsv or interactions\.tsv\.gz"):
        prepared.find_files(tmp_path)
    (tmp_path / "interactions.tsv").write_text(INTERACTIONS)
    with pytest.raises(InputError, match=r"no items\.tsv or items\.tsv\.gz"):
        prepared.find_files(tmp_path)
