"""Amazon reviews of 2014 and 2018 (McAuley lab): a ratings file without header, and metadata, one item a line."""

import ast
import json
from contextlib import suppress
from pathlib import Path

import polars as pl

from harness.data.assemble import from_raw
from harness.data.dataset import Dataset
from harness.data.table import as_whole_numbers, read_table, require_numbers, require_text, require_unique
from harness.data.text import read_lines
from harness.errors import InputError


def read(name: str, ratings: Path, metadata: Path) -> Dataset:
    """Ratings (user, item, rating, timestamp) and metadata with at least ``asin`` and, where known, ``title``.

    Raises:
        InputError: a bad row (its line is named), or nothing left after the filter.
    """
    interactions = read_table(ratings, ",", quoted=False, columns=("user", "item", "rating", "time"))
    require_text(interactions, ["user", "item"], ratings)
    interactions = as_whole_numbers(interactions, "time", ratings)
    require_numbers(interactions, "rating", ratings)
    require_unique(interactions, ["user", "item", "time"], ratings)
    titles = read_titles(metadata)
    items = pl.DataFrame(
        {"item": titles.keys(), "title": titles.values()}, schema={"item": pl.String, "title": pl.String}
    )
    return from_raw(name, interactions, items)


def read_titles(metadata: Path) -> dict[str, str]:
    """Titles by item. Lines are JSON, or Python literals (2014), which are parsed and never evaluated.

    An item that stands twice has its last title, as in LlamaRec's code; one without a title is left out.

    Raises:
        InputError: a line is neither, or holds no ``asin``; its line is named.
    """
    titles = {}
    for number, line in enumerate(read_lines(metadata), 1):
        item = _parse(line)
        if not isinstance(item, dict) or not isinstance(item.get("asin"), str):
            raise InputError(
                f"{metadata}, line {number}: expected an object with the key 'asin', in JSON or as a Python literal"
            )
        title = item.get("title")
        if isinstance(title, str) and title.strip():
            titles[item["asin"].strip()] = title.strip()
    return titles


def _parse(line: str) -> object:
    """The line's value, or None where it is neither JSON nor a literal."""
    for parse in (json.loads, ast.literal_eval):
        with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return parse(line)
    return None
