"""MIND (Wu et al., ACL 2020): behaviors.tsv and news.tsv, without header, quotes being text; LLM-TRSR's selection."""

from pathlib import Path

import polars as pl

from harness.data.cases import Sizes, assemble_cases, assign, by_hash
from harness.data.dataset import Dataset
from harness.data.table import read_table, require_text, require_unique
from harness.errors import InputError

BEHAVIORS = ("impression", "user", "time", "history", "impressions")
NEWS = ("item", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
CLICKS = (11, 26)  # of a selected user, the answer among them


def read(name: str, behaviors: Path, news: Path, sizes: Sizes) -> Dataset:
    """Users with 11 to 26 clicks, each one case: the last click is the answer (Zheng et al., WWW 2024, section 4.1).

    One row a user: the first in the file (within a MIND file a user's rows share one history). Users are ordered by the
    sha256 of their raw id, since the paper does not say in which order it takes them: first those that train, then
    validation, then test. Impressions are not read. All news stay in the catalogue, over which negatives are drawn; the
    item text is id, category, subcategory and title, so abstracts, urls and entities are left out.

    Args:
        name: the data set's name.
        behaviors: impression id, user, time, history (news ids, oldest first), impressions.
        news: id, category, subcategory, title, abstract, url, and the entities of title and abstract.
        sizes: of the parts.

    Raises:
        InputError: a bad row, a news id that is not in ``news`` (its line is named), or too few users. A row without a
            history is a cold user, and is not selected.
    """
    rows = read_table(behaviors, "\t", quoted=False, columns=BEHAVIORS)
    require_text(rows, ["user"], behaviors)
    items = read_table(news, "\t", quoted=False, columns=NEWS)
    require_text(items, ["item"], news)
    require_unique(items, ["item"], news)
    clicks = rows.select("line", "user", items=pl.col("history").str.extract_all(r"\S+"))
    unknown = clicks.explode("items").drop_nulls().join(items, left_on="items", right_on="item", how="anti")
    for line, item in unknown.sort("line").head(1).select("line", "items").iter_rows():
        raise InputError(f"{behaviors}, line {line}: news {item!r} of the history is not in {news.name}")
    cases = clicks.unique("user", keep="first", maintain_order=True).filter(
        pl.col("items").list.len().is_between(*CLICKS)
    )
    parts = assign(name, by_hash(cases["user"].to_list()), sizes)
    return assemble_cases(name, cases, parts, items.select("item", "category", "subcategory", "title"))
