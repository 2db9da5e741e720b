"""Amazon-M2 (Jin et al., NeurIPS 2023): sessions_train.csv and products_train.csv; LLM-TRSR's selection."""

from pathlib import Path

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
        InputError: a missing column, a bad list or an unknown product (its row is named, the first below the header
            being 1), a product that stands twice, or too few sessions.
    """
    catalogue = _read(products, ("id", *TEXTS)).rename({"id": "item", "desc": "description"})
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
    """These columns of the locale's rows as strings, missing values empty, and ``row``, counted from 1."""
    try:
        table = pl.scan_csv(path, infer_schema=False)
        found = table.collect_schema().names()
        if missing := [column for column in ("locale", *columns) if column not in found]:
            raise InputError(f"{path}, line 1: no column {missing[0]!r}; found {', '.join(found)}")
        own = table.with_row_index("row", offset=1).filter(pl.col("locale") == LOCALE)
        return own.select("row", pl.col(columns).fill_null("")).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path}: not a whole CSV file ({str(error).splitlines()[0]})") from None
