"""MovieLens: the CSV files of ml-latest, and the typed tab-separated files in which RecBole keeps ml-100k.

Items have the further texts ``year`` and ``genres`` (``Drama|War``), empty where the file says none.
"""

from pathlib import Path

import polars as pl

from harness.data.assemble import from_raw
from harness.data.dataset import Dataset
from harness.data.table import (
    as_whole_numbers,
    read_table,
    require_columns,
    require_numbers,
    require_text,
    require_unique,
)

File = tuple[Path, pl.DataFrame, dict[str, str]]
YEAR = r"\((\d{4})\)\s*$"


def read_csv(name: str, ratings: Path, movies: Path) -> Dataset:
    """``ratings.csv`` (userId, movieId, rating, timestamp) and ``movies.csv`` (movieId, title, genres).

    Raises:
        InputError: a missing column, a bad row (its line is named), or nothing left after the filter.
    """
    return _read(
        name,
        (
            ratings,
            read_table(ratings, ",", quoted=True),
            {"userId": "user", "movieId": "item", "rating": "rating", "timestamp": "time"},
        ),
        (movies, read_table(movies, ",", quoted=True), {"movieId": "item", "title": "title", "genres": "genres"}),
        year=pl.col("title").str.extract(YEAR).fill_null(""),
        genres=pl.col("genres").replace("(no genres listed)", ""),
    )


def read_atomic(name: str, inter: Path, item: Path) -> Dataset:
    """RecBole's ``.inter`` and ``.item``, whose header says ``column:type``.

    Raises:
        InputError: a missing column, a bad row (its line is named), or nothing left after the filter.
    """
    return _read(
        name,
        (inter, _read_typed(inter), {"user_id": "user", "item_id": "item", "rating": "rating", "timestamp": "time"}),
        (
            item,
            _read_typed(item),
            {"item_id": "item", "movie_title": "title", "release_year": "year", "class": "genres"},
        ),
        year=pl.col("year"),
        genres=pl.col("genres").str.replace_all(" ", "|", literal=True),
    )


def _read_typed(path: Path) -> pl.DataFrame:
    return read_table(path, "\t", quoted=False).rename(lambda header: header.partition(":")[0])


def _read(name: str, ratings: File, movies: File, year: pl.Expr, genres: pl.Expr) -> Dataset:
    """Each file is its path, its table, and the harness's names of its columns; then how a movie's texts come about."""
    interactions, items = _renamed(*ratings), _renamed(*movies)
    interactions = as_whole_numbers(interactions, "time", ratings[0])
    require_numbers(interactions, "rating", ratings[0])
    require_unique(interactions, ["user", "item", "time"], ratings[0])
    require_unique(items, ["item"], movies[0])
    return from_raw(name, interactions, items.select("item", "title", year=year, genres=genres))


def _renamed(path: Path, table: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    require_columns(table, list(names), path)
    table = table.rename(names)
    require_text(table, [column for column in ("user", "item") if column in table.columns], path)
    return table
