"""What `harness list` can list, as rows of named values."""

from enum import StrEnum
from typing import Any

from harness import resolve
from harness import system as register
from harness.data import catalogue
from harness.llm import backbone as backbones
from harness.papers import paper as papers


class Listing(StrEnum):
    """What ``harness list`` can list."""

    systems = "systems"
    datasets = "datasets"
    backbones = "backbones"
    papers = "papers"
    profiles = "profiles"


def listing(what: Listing) -> list[dict[str, Any]]:
    """The rows of one list."""
    if what is Listing.systems:
        return [
            {
                "name": spec.name,
                "tasks": list(spec.tasks),
                "needs": list(spec.needs),
                "llm": spec.llm,
                "conventional_recommender": spec.conventional,
                "source": spec.source,
            }
            for spec in register.systems().values()
        ]
    if what is Listing.datasets:
        return [
            {"name": name, "title": entry.title, **entry.counts.model_dump(), "terms": entry.terms}
            for name, entry in catalogue.entries().items()
        ]
    if what is Listing.backbones:
        return backbones.describe()
    if what is Listing.papers:
        loaded = map(papers.load, papers.names())
        return [{"name": p.id, "title": p.title, "tables": list(p.tables), "backbone": p.backbone} for p in loaded]
    return [{"name": name, "about": resolve.profile_file(name).about} for name in resolve.profiles()]
