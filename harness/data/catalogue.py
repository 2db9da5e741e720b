"""The data sets that the harness knows by name, and loading them or a user's own prepared folder."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml

from harness.config import Strict
from harness.data import sources
from harness.data.cases import Sizes
from harness.data.dataset import Dataset, SourceRecord
from harness.data.digest import sha256_of
from harness.data.readers import amazon, amazon_m2, mind, movielens, prepared, sessions
from harness.errors import InputError, WorkError
from harness.home import Home
from harness.progress import Report

READERS: dict[str, Callable[..., Dataset]] = {
    "movielens-csv": movielens.read_csv,
    "movielens-atomic": movielens.read_atomic,
    "amazon": amazon.read,
    "prepared": prepared.read,
    "mind": mind.read,
    "amazon-m2": amazon_m2.read,
    "sessions": sessions.read,
}


class Counts(Strict):
    """Size of a set after its reader's filter; None where nobody could count it beforehand."""

    users: int
    items: int | None
    interactions: int | None


class Form(Strict):
    """One shape in which a set can be had: the files are the reader's arguments after the name, in order."""

    reader: Literal["movielens-csv", "movielens-atomic", "amazon", "prepared", "mind", "amazon-m2", "sessions"]
    files: tuple[sources.SourceFile, ...]


class Entry(Strict):
    """A data set of the catalogue.

    Attributes:
        title: what it is, for people.
        terms: what its owners allow.
        counts: asserted on load.
        forms: tried in this order.
        cases: of a case set, how many users train, validate and are tested; the readers' last argument.
    """

    title: str
    terms: str
    counts: Counts
    forms: tuple[Form, ...]
    cases: Sizes | None = None


@cache
def entries() -> dict[str, Entry]:
    """All data sets of ``catalogue.yaml`` by name."""
    listed = yaml.safe_load(files("harness.data").joinpath("catalogue.yaml").read_text("utf-8"))
    return {name: Entry.model_validate(entry) for name, entry in listed.items()}


def names() -> tuple[str, ...]:
    """Names of the data sets."""
    return tuple(entries())


def fetch(name: str, home: Home, report: Report = print) -> list[SourceRecord]:
    """Get and verify the files of a data set.

    Raises:
        InputError: there is no such set, or a file in the cache or mirror is not what it must be.
        WorkError: no source gave a file.
    """
    if name not in entries():
        raise InputError(f"data set {name!r} is unknown; known: {', '.join(names())}")
    _, fetched = _obtain(name, home, report)
    return [file.record for file in fetched]


def load(name_or_folder: str, home: Home, report: Report = print) -> Dataset:
    """A data set by name, fetched if need be, or a user's own prepared folder by its path.

    Raises:
        InputError: neither a known name nor a folder; a bad file; counts that are not the published ones.
        WorkError: no source gave a file.
    """
    if name_or_folder in entries():
        return _load_named(name_or_folder, home, report)
    folder = Path(name_or_folder)
    if not folder.is_dir():
        raise InputError(
            f"data set {name_or_folder!r} is unknown and no folder; known: {', '.join(names())}, "
            "or the path of a prepared folder"
        )
    paths = prepared.find_files(folder)
    return replace(prepared.read(folder.resolve().name, *paths), sources=tuple(_own(path) for path in paths))


def _load_named(name: str, home: Home, report: Report) -> Dataset:
    form, fetched = _obtain(name, home, report)
    entry = entries()[name]
    paths = [file.path for file in fetched]
    dataset = READERS[form.reader](name, *paths, *([entry.cases] if entry.cases else []))
    _check_counts(entry.counts, dataset)
    records = tuple(file.record for file in fetched)
    notes = tuple(
        f"{record.name} is unpinned: its digest was not known beforehand, it was accepted on the set's counts"
        for record in records
        if not record.pinned
    )
    return replace(dataset, sources=records, notes=(*dataset.notes, *notes))


def _obtain(name: str, home: Home, report: Report) -> tuple[Form, list[sources.Fetched]]:
    """The first form whose files can all be had."""
    failures = []
    for form in entries()[name].forms:
        try:
            return form, [sources.fetch(file, name, home, report) for file in form.files]
        except WorkError as error:
            failures.append(str(error))
    raise WorkError("; ".join(failures))


def _check_counts(expected: Counts, dataset: Dataset) -> None:
    found = Counts(users=dataset.n_users, items=dataset.n_items, interactions=dataset.n_interactions)
    known = {what: count for what, count in expected if count is not None}
    misses = [
        f"{getattr(found, what)} {what} ({getattr(found, what) - count:+d})"
        for what, count in known.items()
        if getattr(found, what) != count
    ]
    if misses:
        wanted = ", ".join(f"{count} {what}" for what, count in known.items())
        raise InputError(
            f"{dataset.name}: {', '.join(misses)}; expected {wanted}: its files are not the published ones"
        )


def _own(path: Path) -> SourceRecord:
    return SourceRecord(
        name=path.name, origin="folder", size_bytes=path.stat().st_size, sha256=sha256_of(path), pinned=False
    )
