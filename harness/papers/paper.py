"""The published tables of a paper, read from ``harness/papers/<paper>.yaml``."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from harness.config import RunConfig, Strict, one_line
from harness.errors import InputError
from harness.papers.claims import Claim
from harness.papers.cost_figures import CostFigure, ServingFigure
from harness.papers.tables import AccuracyTable, StatisticsTable, Sweep
from harness.papers.variants import Variants

FOLDER = Path(__file__).parent

Table = Annotated[
    AccuracyTable | StatisticsTable | Sweep | CostFigure | ServingFigure | Variants, Field(discriminator="kind")
]


class PaperDataset(Strict):
    """A data set of the paper.

    Attributes:
        name: the harness's name of the same data.
        fallback: a set that may be run where that cannot be had; its cells are judged ``other data``.
        test_users: how many users the paper tests on, where it says so.
    """

    name: str
    fallback: str | None = None
    test_users: int | None = Field(None, ge=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The harness's names of what may be run, the paper's own data first."""
        return (self.name, self.fallback) if self.fallback else (self.name,)


class Paper(Strict):
    """A published set of tables.

    Attributes:
        id: the paper's name on the command line.
        backbone: hub id of the pretrained LLM that the paper used.
        system: the paper's own system, as printed.
        datasets: by printed name.
        default_datasets: printed names of those that are run where none is asked for.
        systems: printed name -> the harness's name, for the systems that the harness has.
        tables: by the paper's own numbering.
        claims: what the paper says of them.
    """

    id: str
    title: str
    authors: tuple[str, ...]
    venue: str
    url: str
    backbone: str
    system: str
    datasets: dict[str, PaperDataset]
    default_datasets: tuple[str, ...]
    systems: dict[str, str]
    tables: dict[str, Table]
    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> "Paper":
        if unknown := set(self.default_datasets) - self.datasets.keys():
            raise ValueError(f"default_datasets: {min(unknown)} is not under datasets")
        for number, table in self.tables.items():
            if unknown := set(table.datasets()) - self.datasets.keys():
                raise ValueError(f"table {number}: data set {min(unknown)} is not under datasets")
            users = table.users if isinstance(table, AccuracyTable) else None
            if users and (unknown := {users.system, *users.rerankers} - self.systems.keys()):
                raise ValueError(f"table {number}: system {min(unknown)} is not under systems")
            if isinstance(table, ServingFigure) and table.retriever not in self.systems:
                raise ValueError(f"table {number}: system {table.retriever} is not under systems")
            if isinstance(table, Variants):
                self._check_variants(number, table)
        for claim in self.claims:
            self._check_claim(claim)
        return self

    def _check_variants(self, number: str, variants: Variants) -> None:
        table = self.tables.get(variants.of)
        if not isinstance(table, AccuracyTable):
            raise ValueError(f"table {number}: {variants.of} is no table of metrics")
        if table.users or table.asks != variants.asks:
            raise ValueError(f"table {number}: table {variants.of} asks other users or another task")
        tried = set()
        for change in variants.changes:
            for dataset in change.datasets:
                settings = [str(sorted(each.items())) for each in (change.settings, change.both)]
                one = (change.system, dataset, *settings, change.probe)
                if one in tried:
                    raise ValueError(f"table {number}: a change of {change.system} on {dataset} stands there twice")
                tried.add(one)
                if change.system not in self.systems or not table.shows(dataset, change.system):
                    raise ValueError(f"table {number}: table {variants.of} has no {change.system} on {dataset}")

    def _check_claim(self, claim: Claim) -> None:
        table = self.tables.get(claim.table)
        if not isinstance(table, AccuracyTable):
            raise ValueError(f"claim ({claim.where}): {claim.table} is no table of metrics")
        for dataset in claim.datasets or table.published:
            if dataset not in table.published:
                raise ValueError(f"claim ({claim.where}): table {claim.table} has no data set {dataset}")
            for system in (claim.system, *claim.over):
                if not table.shows(dataset, system):
                    raise ValueError(f"claim ({claim.where}): table {claim.table} has no {system} on {dataset}")

    def varies(self, config: RunConfig) -> bool:
        """Whether a run may stand in a table of variants alone: it is probed, or has one of their changes."""
        changes = (each for table in self.tables.values() if isinstance(table, Variants) for each in table.changes)
        made = (self.systems[each.system] == config.system and each.is_made(config) for each in changes)
        return config.probe is not None or any(made)

    def table(self, number: str) -> Table:
        """The table of that number.

        Raises:
            InputError: the paper has none.
        """
        if number not in self.tables:
            raise InputError(f"{self.id}:{number}: no such table; known: {', '.join(self.tables)}")
        return self.tables[number]


def number(text: str) -> tuple[float, float]:
    """A printed number and the worth of one unit in its last digit, e.g. ``100k`` is (100000, 1000)."""
    scale = 1000 if text.endswith("k") else 1
    value = Decimal(text.removesuffix("k").replace(",", ""))
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), text
    return float(value * scale), float(Decimal(1).scaleb(exponent) * scale)


def names() -> list[str]:
    """Names of all papers."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load(paper: str) -> Paper:
    """Read and check a paper.

    Raises:
        InputError: there is no such paper, or its file does not hold to the schema.
    """
    if paper not in names():
        raise InputError(f"paper {paper!r} is unknown; known: {', '.join(names())}")
    return parse(FOLDER / f"{paper}.yaml")


def parse(path: Path) -> Paper:
    """Read and check a paper's file.

    Raises:
        InputError: it does not hold to the schema.
    """
    try:
        document: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Paper.model_validate(document)
    except (ValidationError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {one_line(error)}") from None
