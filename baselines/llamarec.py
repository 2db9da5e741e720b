"""LlamaRec: a tuned LLM ranks a retriever's items by the logits of their index letters.

Yue et al., "LlamaRec: Two-Stage Recommendation using Large Language Models for Ranking", PGAI@CIKM 2023.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from harness.data.dataset import Ids, Sequences
from harness.data.titles import clean_title
from harness.errors import InputError
from harness.llm import lora, prompts, verbalizer
from harness.llm.backbone import Dtype, Quantisation, load
from harness.llm.losses import Example
from harness.llm.prompts import LETTERS
from harness.llm.tuning import TuningConfig, epochs, tune, validate
from harness.record import FitRecord, ModelRecord
from harness.seeds import rng
from harness.system import Context, Queries, SystemSpec, expect, register


class LlamaRecConfig(TuningConfig):
    """The paper's settings (sections 3.2 and 4.0.4).

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
        adapter: identity of a kept run whose adapter ranks, so that nothing is tuned; None: tune.
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
    negatives: int = Field(19, ge=1, lt=len(LETTERS))
    prompts: int | None = Field(None, ge=1)
    score_batch: int = Field(4, ge=1)
    adapter: str | None = None


class LlamaRec:
    """The ranker; its retriever's lists come with the queries."""

    def __init__(self, settings: LlamaRecConfig):
        self.settings = settings

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Tune an adapter to answer training prompts with the letter of the item that came next."""
        settings = self.settings
        self._load(context)
        answers = next_items(train)
        order = rng(context.seed, "prompts").permutation(answers)[: settings.prompts]

        def example(position: int) -> list[Example]:
            candidates = self._offered(train, position, context)
            letter = int(np.flatnonzero(candidates == train.items[position])[0])
            prompt = self._prompt(before(train, position), candidates)
            return [Example(prompt, [self.letters[letter], self.llm.tokenizer.eos_token_id])]

        seen = epochs(order, settings.epochs, context.seed)
        record = tune(self.llm, example, seen, self.score, settings, context)
        notes: dict[str, float | int | str] = {
            f"validation_{settings.monitor}_of_the_retriever": validate(retrievers_order, settings, context),
            "letters": len(self._offered(train, int(order[0]), context)),
        }
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
        """Get the backbone with a fresh adapter, and the titles and letters as its tokenizer sees them."""
        settings = self.settings
        self.llm = load(
            settings.backbone,
            context.home,
            context.device,
            dtype=settings.dtype,
            quantisation=settings.quantisation,
            report=context.report,
        )
        titles = [clean_title(title) if settings.clean_titles else title for title in context.dataset.titles]
        self.titles = prompts.shorten(titles, self.llm.tokenizer, settings.title_tokens)
        self.template = prompts.load("llamarec")
        self.letters = verbalizer.letter_tokens(self.llm.tokenizer, prompts.render(self.template, (), ()))
        lora.add(self.llm, settings, context.seed)

    def score(self, queries: Queries) -> Tensor:
        """Logits of the candidates' letters, shape [query, candidate].

        Raises:
            InputError: there are no candidates, or more than letters.
        """
        if queries.candidates is None or queries.candidates.shape[1] > len(self.letters):
            raise InputError(f"llamarec: needs lists of at most {len(self.letters)} candidates; lower task.candidates")
        histories, candidates = queries.history.cpu().numpy(), queries.candidates.cpu().numpy()
        texts = [self._prompt(row[row > 0], items) for row, items in zip(histories, candidates, strict=True)]
        return verbalizer.score(self.llm, texts, self.letters[: candidates.shape[1]], self.settings.score_batch)

    def weights(self) -> dict[str, Tensor]:
        """The adapter."""
        return lora.adapter(self.llm.model)

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Load the backbone and give it the adapter.

        Raises:
            InputError: the adapter is another model's.
        """
        self._load(context)
        own = lora.adapter(self.llm.model)
        expect(weights, {name: value.shape for name, value in own.items()})
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(weights[name])

    def backbone(self) -> ModelRecord:
        """The LLM under the adapter."""
        return self.llm.record

    def _prompt(self, history: npt.NDArray[np.integer], candidates: npt.NDArray[np.integer]) -> list[int]:
        """Token ids of the prompt for item ids, oldest first, and candidates in their order."""
        recent = [self.titles[item] for item in history[-self.settings.history :]]
        text = prompts.render(self.template, recent, [self.titles[item] for item in candidates])
        return prompts.encode(text, self.llm.tokenizer, self.settings.prompt_tokens)


def retrievers_order(queries: Queries) -> Tensor:
    """Scores that keep the candidates as the retriever has them, shape [query, candidate]."""
    assert queries.candidates is not None
    return -torch.arange(queries.candidates.shape[1], dtype=torch.float32).expand(queries.candidates.shape)


def next_items(train: Sequences) -> npt.NDArray[np.int64]:
    """Positions in ``train.items`` of all items but each user's first: the answers of the training prompts."""
    return np.setdiff1d(np.arange(len(train.items)), train.offsets[:-1])


def before(train: Sequences, position: int) -> Ids:
    """All items of the user before a position in ``train.items``, oldest first."""
    user = int(np.searchsorted(train.offsets, position, side="right"))
    return train.items[train.offsets[user - 1] : position]


def random_candidates(
    history: Ids, item: int, n_items: int, negatives: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """The item among uniform negatives, none of which stands in the history, shuffled."""
    outside = np.setdiff1d(np.arange(1, n_items + 1), np.append(history, item))
    drawn = generator.choice(outside, size=min(negatives, len(outside)), replace=False)
    return generator.permutation(np.append(drawn, item))


def retrieved_candidates(found: Ids, item: int) -> Ids:
    """What a retriever found, in its order, with the item in the last place if it is not among it."""
    return found if item in found else np.append(found[:-1], np.int32(item))


register(
    SystemSpec(
        name="llamarec",
        source="Yue et al. 2023 (LlamaRec), section 3.2; their code for formats",
        config=LlamaRecConfig,
        build=LlamaRec,
        scores="candidates",
        needs=("texts", "retriever", "backbone"),
        llm="LoRA-tuned",
        layout=("micro_batch", "score_batch"),
    )
)
