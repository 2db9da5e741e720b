"""An LLM that is shown a history and labelled candidates, and is tuned on the item that came next.

What re-rankers share: the prompts, the examples, the budget and the adapter. They differ in what follows the prompt.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from baselines.adapted import AdaptedSystem
from baselines.next_item_examples import before, next_items, random_candidates, retrieved_candidates
from harness.data.dataset import Sequences
from harness.data.titles import clean_title
from harness.errors import InputError
from harness.llm import labels, prompts
from harness.llm.backbone import Dtype, Quantisation
from harness.llm.losses import Example
from harness.llm.tuning import TuningConfig, epochs, tune, validate
from harness.record import FitRecord
from harness.seeds import rng
from harness.system import Context, Queries


class RerankerConfig(TuningConfig):
    """LlamaRec's settings (sections 3.2 and 4.0.4).

    Attributes:
        retriever: the system whose lists are ranked where no finished run is named.
        backbone: catalogue name, hub id or folder.
        dtype: of the forward pass; see :func:`harness.llm.backbone.load`.
        quantisation: of the frozen weights.
        clean_titles: put MovieLens titles into reading order and drop their alternative names.
        history: how many of the most recent items a prompt names.
        title_tokens: where a title is cut.
        prompt_tokens: how much of a prompt's end is kept.
        train_candidates: what a training prompt offers: the answer among uniform negatives, shuffled, or the
            retriever's list in its order, the answer in place of its last item where it was not found.
        negatives: uniform negatives in a training prompt; fewer where the catalogue has no more.
        prompts: how many of the training prompts are used, a sample drawn from the seed; None: all.
        score_batch: prompts a forward pass when scoring.
        until_retriever: stop tuning once validation reaches the retriever's own order.
        adapter: identity of a kept run whose adapter ranks, so that nothing is tuned; ``released``: the one of the
            checkout that fits (:mod:`harness.released`), where there is one; or a system, whose run of the same
            settings and seed is made where it is missing; None: tune.
    """

    retriever: str = "lrurec"
    backbone: str = "meta-llama/Llama-2-7b-hf"
    dtype: Dtype = "auto"
    quantisation: Quantisation = "nf4"
    clean_titles: bool = False
    history: int = Field(20, ge=1)
    title_tokens: int = Field(32, ge=1)
    prompt_tokens: int = Field(1536, ge=1)
    train_candidates: Literal["random", "retrieved"] = "random"
    negatives: int = Field(19, ge=1, lt=labels.MOST)
    prompts: int | None = Field(None, ge=1)
    score_batch: int = Field(4, ge=1)
    until_retriever: bool = False
    adapter: str | None = Field(None, min_length=1)


class Reranker(AdaptedSystem, ABC):
    """A re-ranker but for its answers and scores; its retriever's lists come with the queries.

    Attributes:
        answers: what training prompts are answered with.
    """

    name: str
    answers: str

    @abstractmethod
    def answer(self, place: int, item: int) -> list[int]:
        """The tokens that a training prompt is answered with, for the right item and its place (from 0)."""

    @abstractmethod
    def score(self, queries: Queries) -> Tensor:
        """Scores of the candidates, shape [query, candidate]."""

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Tune an adapter to answer training prompts with the item that came next."""
        settings = self.settings
        self._load(context)
        answers = next_items(train)
        order = rng(context.seed, "prompts").permutation(answers)[: settings.prompts]

        def example(position: int) -> list[Example]:
            candidates, item = self._offered(train, position, context), int(train.items[position])
            place = int(np.flatnonzero(candidates == item)[0])
            return [Example(self._prompt(before(train, position), candidates), self.answer(place, item))]

        seen = epochs(order, settings.epochs, context.seed)
        given = validate(retrievers_order, settings, context)
        goal = given if settings.until_retriever else math.inf
        record = tune(self.llm, example, seen, self.score, settings, context, goal=goal)
        notes: dict[str, float | int | str] = {
            f"validation_{settings.monitor}_of_the_retriever": given,
            "tuned_for": self.answers,
        }
        if self.answers != "titles":
            notes["letters"] = len(self._offered(train, int(order[0]), context))
        return record.model_copy(update={"notes": record.notes | notes})

    def _offered(self, train: Sequences, position: int, context: Context) -> npt.NDArray[np.integer]:
        """The candidates of the training prompt whose answer stands at a position, the same whenever asked for."""
        history, item = before(train, position), int(train.items[position])
        if self.settings.train_candidates == "retrieved":
            assert context.retrieve is not None
            return retrieved_candidates(context.retrieve(history, item), item)
        generator = rng(context.seed, "candidates", position)
        return random_candidates(history, item, context.dataset.n_items, self.settings.negatives, generator)

    def _load(self, context: Context) -> None:
        """Get the backbone with a fresh adapter, and the titles and labels as its tokenizer sees them."""
        super()._load(context)
        settings = self.settings
        titles = [clean_title(title) if settings.clean_titles else title for title in context.dataset.titles]
        self.titles = prompts.shorten(titles, self.llm.tokenizer, settings.title_tokens)
        self.template = prompts.load("llamarec")
        self.labels = labels.find(self.llm.tokenizer, prompts.render(self.template, (), ()))

    def prompts_of(self, queries: Queries) -> list[list[int]]:
        """Token ids of the queries' prompts.

        Raises:
            InputError: there are no candidates, or more than labels.
        """
        if queries.candidates is None or queries.candidates.shape[1] > len(self.labels):
            raise InputError(
                f"{self.name}: needs lists of at most {len(self.labels)} candidates; lower task.candidates"
            )
        histories, candidates = queries.history.cpu().numpy(), queries.candidates.cpu().numpy()
        return [self._prompt(row[row > 0], items) for row, items in zip(histories, candidates, strict=True)]

    def _prompt(self, history: npt.NDArray[np.integer], candidates: npt.NDArray[np.integer]) -> list[int]:
        """Token ids of the prompt for item ids, oldest first, and candidates in their order."""
        recent = [self.titles[item] for item in history[-self.settings.history :]]
        offered = [self.titles[item] for item in candidates]
        text = prompts.render(self.template, recent, offered, self.labels.first(len(offered)).texts)
        return prompts.encode(text, self.llm.tokenizer, self.settings.prompt_tokens)


def retrievers_order(queries: Queries) -> Tensor:
    """Scores that keep the candidates as the retriever has them, shape [query, candidate]."""
    assert queries.candidates is not None
    return -torch.arange(queries.candidates.shape[1], dtype=torch.float32).expand(queries.candidates.shape)
