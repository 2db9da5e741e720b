import gzip
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness import data
from harness.data import catalogue
from harness.data.table import read_table
from harness.errors import InputError, WorkError
from harness.home import Home

MIRROR = os.environ.get("LLMREC_MIRROR")
needs_mirror = pytest.mark.skipif(not MIRROR, reason="LLMREC_MIRROR names no mirror of the papers' data")


@pytest.fixture
def mirrored(home: Home) -> Home:
    return replace(home, mirror=Path(MIRROR or ""))


@needs_mirror
@pytest.mark.parametrize("name", ["ml-latest-small", "amazon-beauty-2014", "amazon-games-2014"])
def test_the_papers_sets_have_their_published_counts(name: str, mirrored: Home) -> None:
    dataset = data.load(name, mirrored)
    expected = catalogue.entries()[name].counts
    assert (dataset.n_users, dataset.n_items, dataset.n_interactions) == tuple(count for _, count in expected)
    assert {record.origin for record in dataset.sources} == {"mirror"}
    assert all(record.pinned for record in dataset.sources)
    assert dataset.notes == ()
    assert min(np.diff(dataset.sequences.offsets)) >= 5
    assert all(dataset.titles[1:])
    assert not mirrored.root.exists()


@needs_mirror
@pytest.mark.parametrize("name", ["mind-small-sample", "amazon-industrial-2018", "amazon-office-2018"])
def test_case_sets_have_their_parts(name: str, mirrored: Home) -> None:
    dataset, entry = data.load(name, mirrored), catalogue.entries()[name]
    assert (dataset.n_users, dataset.n_items, dataset.n_interactions) == tuple(count for _, count in entry.counts)
    assert entry.cases is not None
    assert dataset.parts is not None
    assert {part: dataset.parts.count(part) for part in ("train", "validation", "test")} == entry.cases.model_dump()
    assert dataset.parts[0] == ""
    assert dataset.times is None


@needs_mirror
def test_beautys_ids_are_those_of_its_folder(mirrored: Home) -> None:
    dataset = data.load("amazon-beauty-2014", mirrored)
    rows = read_table(Path(MIRROR or "") / "amazon-beauty-2014" / "interactions.tsv.gz", "\t", quoted=False)
    assert dataset.sequences.items.tolist() == [int(item) for item in rows["item"]]
    assert dataset.raw_users[1] == "A1GNYV0RA0EQSS"


@needs_mirror
def test_movielens_is_in_time_order(mirrored: Home) -> None:
    dataset = data.load("ml-latest-small", mirrored)
    assert dataset.times is not None
    starts = set(dataset.sequences.offsets.tolist())
    backwards = np.flatnonzero(np.diff(dataset.times) < 0) + 1
    assert starts.issuperset(backwards.tolist())
    tied = np.setdiff1d(np.flatnonzero(np.diff(dataset.times) == 0) + 1, list(starts))
    assert (dataset.sequences.items[tied - 1] < dataset.sequences.items[tied]).all()


@needs_mirror
def test_an_altered_mirror_is_refused(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "ml-latest-small"
    folder.mkdir()
    content = (Path(MIRROR or "") / folder.name / "ratings.csv").read_bytes()
    (folder / "ratings.csv").write_bytes(content.replace(b"5.0", b"4.0", 1))
    with pytest.raises(InputError, match=r"ml-latest-small/ratings\.csv: sha256 .*, expected aa289ca8"):
        data.load("ml-latest-small", replace(home, mirror=tmp_path))


def test_every_entry_is_whole() -> None:
    assert data.names()[:2] == ("ml-100k", "ml-latest-small")
    for entry in catalogue.entries().values():
        assert entry.title
        assert entry.terms
        for form in entry.forms:
            assert form.reader in catalogue.READERS
            pinned = [file.sha256 is not None and file.size_bytes is not None for file in form.files]
            assert all(pinned) or all(file.url for file in form.files) or entry.cases
        if entry.cases:
            assert entry.counts.users == entry.cases.train + entry.cases.validation + entry.cases.test


def raw_amazon(mirror: Path) -> None:
    """Six users and items, in the raw files that the mirror holds instead of the prepared ones."""
    folder = mirror / "amazon-beauty-2014"
    folder.mkdir(parents=True)
    items = [f"B0{number}" for number in range(6)]
    ratings = (f"A{user},{item},5.0,{day}\n" for user in range(6) for day, item in enumerate(items))
    (folder / "ratings_Beauty.csv").write_text("".join(ratings))
    metadata = "\n".join(repr({"asin": item, "title": f"Cream {item}"}) for item in items)
    (folder / "meta_Beauty.json.gz").write_bytes(gzip.compress(metadata.encode()))


def test_counts_that_miss_say_by_how_much(home: Home, tmp_path: Path) -> None:
    raw_amazon(tmp_path)
    with pytest.raises(InputError) as raised:
        data.load("amazon-beauty-2014", replace(home, mirror=tmp_path))
    assert "6 users (-22326), 6 items (-12080), 36 interactions (-198179)" in str(raised.value)
    assert "expected 22332 users, 12086 items, 198215 interactions" in str(raised.value)


def test_raw_files_that_have_the_counts_are_accepted_as_unpinned(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw_amazon(tmp_path)
    known = catalogue.entries()["amazon-beauty-2014"]
    small = known.model_copy(update={"counts": catalogue.Counts(users=6, items=6, interactions=36)})
    monkeypatch.setattr(catalogue, "entries", lambda: {"amazon-beauty-2014": small})
    dataset = data.load("amazon-beauty-2014", replace(home, mirror=tmp_path))
    assert [(record.name, record.pinned) for record in dataset.sources] == [
        ("ratings_Beauty.csv", False),
        ("meta_Beauty.json.gz", False),
    ]
    assert dataset.notes[0].startswith("ratings_Beauty.csv is unpinned")


def test_fetch_gives_the_records(home: Home, tmp_path: Path) -> None:
    raw_amazon(tmp_path)
    records = data.fetch("amazon-beauty-2014", replace(home, mirror=tmp_path))
    assert [record.name for record in records] == ["ratings_Beauty.csv", "meta_Beauty.json.gz"]
    with pytest.raises(InputError, match="data set 'nope' is unknown; known: ml-100k"):
        data.fetch("nope", home)


def test_where_no_form_can_be_had_one_line_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalogue.entries()["amazon-games-2014"]
    only_mirrored = known.model_copy(update={"forms": known.forms[:1]})
    monkeypatch.setattr(catalogue, "entries", lambda: {"amazon-games-2014": only_mirrored})
    with pytest.raises(WorkError, match=r"amazon-games-2014/interactions\.tsv\.gz: no source gave it"):
        data.load("amazon-games-2014", home)


def test_a_users_own_folder(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    rows = "".join(
        f"{user}\t{pos}\ti{pos}\t{split}\n" for user in "ab" for pos, split in enumerate(("train", "val", "test"))
    )
    (folder / "interactions.tsv").write_text(f"user\tpos\titem\tsplit\n{rows}")
    (folder / "items.tsv").write_text("item\ttitle\ni0\tA\ni1\tB\ni2\tC\n")
    dataset = data.load(str(folder), home)
    assert (dataset.name, dataset.n_users, dataset.n_items) == ("mine", 2, 3)
    assert [(record.name, record.origin, record.pinned) for record in dataset.sources] == [
        ("interactions.tsv", "folder", False),
        ("items.tsv", "folder", False),
    ]


def test_an_unknown_name_lists_the_known(home: Home) -> None:
    with pytest.raises(InputError, match="'ml-1m' is unknown and no folder; known: ml-100k, ml-latest-small"):
        data.load("ml-1m", home)
