"""Figures of what ranking costs, and of what serving it costs."""

from typing import Any, Literal

from harness.config import Strict
from harness.papers.exhibit import Asking, Grid, Wanted


class Ranker(Strict):
    """The runs whose accuracy stands beside the cost of a way to rank.

    Attributes:
        system: as the paper's file calls it.
        settings: that those runs must have.
    """

    system: str
    settings: dict[str, Any] = {}


class CostFigure(Asking):
    """Seconds that ranking takes, by the length of the titles.

    Attributes:
        titles: the data set whose titles are taken and whose users are asked, as printed.
        wording: of the prompts (``harness/llm/prompts``).
        items: of the history, and candidates, of the published requests.
        lines: the paper's lines, as printed, and the way to rank behind each (``harness.llm.ranking_cost``).
        accuracy: way to rank -> the runs that say how good it is, a checkpoint each.
        published: average tokens of a title -> line -> seconds as printed, or as read off.
    """

    kind: Literal["cost"]
    titles: str
    wording: str
    items: int
    lines: dict[str, str]
    accuracy: dict[str, tuple[Ranker, ...]]
    published: Grid

    def datasets(self) -> list[str]:
        """The data set of its titles, as printed."""
        return [self.titles]

    def systems(self, dataset: str) -> list[str]:
        """Systems whose accuracy stands beside a cost, as the paper's file calls them."""
        return list(dict.fromkeys(ranker.system for ranker in self._rankers()))

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The runs that say how good a system's ways to rank are; no cell rests on them."""
        if dataset != self.titles:
            return []
        own = [ranker.settings for ranker in self._rankers() if ranker.system == system]
        return [Wanted(self.asking() | settings, 0) for settings in own]

    def _rankers(self) -> list[Ranker]:
        return [ranker for rankers in self.accuracy.values() for ranker in rankers]


class ServingFigure(Asking):
    """How the time of ranking by one forward pass grows with the request, the batch and the model.

    Attributes:
        titles: the data set whose titles are taken, and whose catalogue the retriever searches, as printed.
        wording: of the prompts (``harness/llm/prompts``).
        retriever: the system whose time stands beside the ranking's, as printed.
    """

    kind: Literal["serving"]
    titles: str
    wording: str
    retriever: str

    def datasets(self) -> list[str]:
        """The data set of its titles, as printed."""
        return [self.titles]

    def systems(self, dataset: str) -> list[str]:
        """The retriever."""
        return [self.retriever]

    def runs(self, dataset: str, system: str) -> list[Wanted]:
        """The retriever's run; no cell rests on it."""
        return [Wanted(self.asking(), 0)] if (dataset, system) == (self.titles, self.retriever) else []
