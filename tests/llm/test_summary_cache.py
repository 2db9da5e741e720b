"""A batch is found again as it was written, or not at all."""

import json
from pathlib import Path

import pytest

from harness.home import Home
from harness.llm import summary_cache
from harness.llm.summary_cache import Batch

BATCH = Batch(["Likes war.", "", "\U0001f600 {"], 30, 7, 0.1 + 0.2, None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = summary_cache.path(Home(tmp_path), {"prompts": [[1, 2]]})
    summary_cache.save(made, BATCH)
    return made


def resealed(file: Path, change: dict[str, object]) -> None:
    """Change the batch in the file, and its digest with it."""
    content = json.loads(file.read_text())["batch"] | change
    made = object.__new__(Batch)
    made.__dict__.update(content)
    file.write_text(json.dumps(summary_cache._sealed(file, made)))


def test_it_is_found_as_it_was_written(file: Path) -> None:
    assert summary_cache.load(file, 3) == BATCH
    resealed(file, {"energy_j": 0.5})
    found = summary_cache.load(file, 3)
    assert found is not None
    assert found.energy_j == 0.5


@pytest.mark.parametrize("prompts", [0, 2, 4])
def test_a_batch_of_other_prompts_is_none(file: Path, prompts: int) -> None:
    assert summary_cache.load(file, prompts) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [("Likes war.", "Likes peace."), ('"tokens_read": 30', '"tokens_read": 31'), ("0.3", "0.4"), ("null", "1.0")],
)
def test_an_edited_batch_is_none(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    assert summary_cache.load(file, 3) is None


def test_a_batch_in_anothers_place_is_none(file: Path) -> None:
    other = file.with_name("0" * 64 + ".json")
    other.write_bytes(file.read_bytes())
    assert summary_cache.load(other, 3) is None


@pytest.mark.parametrize(
    "change",
    [
        {"texts": "abc"},
        {"texts": ["a", "b", 3]},
        {"tokens_read": -1},
        {"tokens_read": 1.5},
        {"tokens_written": True},
        {"seconds": -0.1},
        {"seconds": float("nan")},
        {"seconds": "1"},
        {"energy_j": float("inf")},
    ],
)
def test_what_no_batch_can_hold_is_none_whatever_its_digest(file: Path, change: dict[str, object]) -> None:
    resealed(file, change)
    assert summary_cache.load(file, 3) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"batch": []}',
        b"[" * 100_000,
        b'{"texts": ["a", "b", "c"], "tokens_read": 1, "tokens_written": 1, "seconds": 1.0, "energy_j": null}',
    ],
)
def test_a_malformed_file_or_one_without_digest_is_none(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert summary_cache.load(file, 3) is None
