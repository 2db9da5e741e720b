"""Amazon-M2 (Jin et al., NeurIPS 2023): sessions_train.csv and products_train.csv; LLM-TRSR's selection."""

import csv
import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import polars as pl

from harness.data.cases import Sizes, assemble_cases, assign
from harness.data.dataset import Dataset
from harness.errors import InputError

LOCALE = "UK"
PREVIOUS = (10, 25)  # items of a selected session before its answer
TEXTS = ("title", "price", "brand", "color", "size", "model", "material", "author", "desc")
LIST = r"^\[(\s*'[^'\s]+'(\s+'[^'\s]+')*)?\s*\]$"  # how NumPy prints an array of strings, over several lines or not


def read(name: str, sessions: Path, products: Path, sizes: Sizes) -> Dataset:
    """The first British sessions of 10 to 25 previous items, in file order (Zheng et al., WWW 2024, section 4.1).

    A session is a case, its ``next_item`` the answer; the first of them train, the next validate, the next are tested.
    All British products stay in the catalogue, over which negatives are drawn.

    Args:
        name: the data set's name.
        sessions: prev_items (``['B0..' 'B0..']``, oldest first), next_item, locale.
        products: id, locale, title, price, brand, color, size, model, material, author, desc.
        sizes: of the parts.

    Raises:
        InputError: a missing column, a bad row, list or product (its row is named, the first below the header being
            1), a product that stands twice, or too few sessions.
    """
    catalogue = _read(products, ("id", *TEXTS)).rename({"id": "item", "desc": "description"})
    for row in catalogue.filter(pl.col("item").str.strip_chars() == "").head(1)["row"]:
        raise InputError(f"{products}, row {row}: the id is empty; every product needs one")
    for row, item in catalogue.filter(pl.col("item").is_duplicated()).tail(1).select("row", "item").iter_rows():
        raise InputError(f"{products}, row {row}: product {item!r} of {LOCALE} a second time; keep one")
    rows = _read(sessions, ("prev_items", "next_item"))
    for row in rows.filter(~pl.col("prev_items").str.contains(LIST)).head(1)["row"]:
        raise InputError(f"{sessions}, row {row}: prev_items is no list such as ['B0A' 'B0B']")
    previous = pl.col("prev_items").str.extract_all(r"[^'\s\[\]]+")
    cases = (
        rows.filter(previous.list.len().is_between(*PREVIOUS))
        .head(sizes.train + sizes.validation + sizes.test)
        .select("row", user=pl.col("row").cast(pl.String), items=pl.concat_list(previous, "next_item"))
    )
    unknown = cases.explode("items").join(catalogue, left_on="items", right_on="item", how="anti").sort("row")
    for row, item in unknown.head(1).select("row", "items").iter_rows():
        raise InputError(f"{sessions}, row {row}: item {item!r} is no {LOCALE} product of {products.name}")
    return assemble_cases(name, cases, assign(name, cases["user"].to_list(), sizes), catalogue.drop("row"))


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """These columns of the locale's rows as strings, and ``row``, counted from 1."""
    number = -1
    kept: list[tuple[int | str, ...]] = []
    try:
        with _open(path) as handle:
            for number, row in enumerate(csv.reader(handle, strict=True)):
                if number == 0:
                    names = _checked(row, ("locale", *columns), path)
                    locale, *places = map(names.index, ("locale", *columns))
                elif len(row) != len(names):
                    raise InputError(f"{path}, row {number}: {len(row)} fields, expected {len(names)}")
                elif row[locale] == LOCALE:
                    kept.append((number, *(row[place] for place in places)))
    except csv.Error as error:
        raise InputError(
            f"{path}, row {number + 1}: bad quotes ({error}); close them, and double those inside"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; convert the file to UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole CSV file ({error}); get it again") from None
    if number < 0:
        raise InputError(f"{path}: the file is empty")
    return pl.DataFrame(kept, {"row": pl.UInt32} | dict.fromkeys(columns, pl.String), orient="row")


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _checked(names: list[str], wanted: Iterable[str], path: Path) -> list[str]:
    """The header, if it has each of the columns, and none twice."""
    found = ", ".join(names)[:200]
    if missing := [name for name in wanted if name not in names]:
        raise InputError(
            f"{path}, line 1: no column {missing[0]!r}; found {found if found.isprintable() else 'no text'}"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{path}, line 1: the column {twice[0]!r} twice; keep one")
    return names
