"""An LLM that is asked about every candidate by itself, and tuned to answer yes for what came next.

What such recommenders share: item texts, prompts, pairs of a positive and a negative, budget and adapter. They differ
in what a prompt says of the user.
"""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from baselines.adapted import AdaptedSystem
from baselines.unseen_user import BY_HISTORY
from harness import metrics
from harness.data.dataset import Sequences
from harness.errors import InputError
from harness.llm import item_text, meter, prefix, wording, yes_no
from harness.llm.backbone import Dtype, Quantisation
from harness.llm.losses import Example, LossOn, shared_token_losses
from harness.llm.summary import History
from harness.llm.tokens import Tokens
from harness.llm.tuning import Beta, TuningConfig, epochs, tune
from harness.llm.wording import Question
from harness.progress import track
from harness.record import FitRecord
from harness.seeds import rng
from harness.system import Context, Queries
from harness.tasks import negatives


class YesNoConfig(TuningConfig):
    """LLM-TRSR's settings (Zheng et al. 2024, section 4.1; their code).

    Attributes:
        backbone: catalogue name, hub id or folder.
        dtype: of the forward pass; see :func:`harness.llm.backbone.load`.
        quantisation: of the frozen weights.
        prompts: the wording: a name in ``harness/llm/prompts`` or a file; None: what is made for the data set.
        recent: how many of the most recent items a prompt names.
        item_tokens: where an item's text is cut, a candidate's too.
        prompt_tokens: what a prompt and its answer have at most; a longer one loses history.
        cases: how many of the training cases are used, a sample drawn from the seed; None: all.
    """

    lora_alpha: int = Field(16, ge=1)
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    schedule: Literal["linear", "constant"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    betas: tuple[Beta, Beta] = (0.9, 0.95)
    weight_decay: float = Field(5e-4, ge=0)
    epochs: int = Field(5, ge=1)
    batch_size: int = Field(32, ge=1)  # pairs: the paper's 64 texts
    validate_every: int | None = Field(None, ge=1)
    monitor: metrics.Monitor = "Recall@3+Recall@5+Recall@10"
    loss_on: LossOn = "prompt"
    backbone: str = "meta-llama/Llama-2-7b-hf"
    dtype: Dtype = "auto"
    quantisation: Quantisation = "none"
    prompts: str | None = None
    recent: int = Field(5, ge=0)
    item_tokens: int = Field(512, ge=1)
    prompt_tokens: int = Field(2048, ge=1)
    cases: int | None = Field(None, ge=1)


class YesNoRecommender(AdaptedSystem):
    """The recommender, whose prompts hold the recent items and the candidate."""

    asks: ClassVar[type[Question]] = Question

    def prepare(self, histories: list[History]) -> None:
        """Make ready what :meth:`places` says of these histories."""

    def places(self, history: History) -> dict[str, str]:
        """What fills the question's further places."""
        return {}

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Tune an adapter to say yes to the last item of each training case, and no to an item drawn for it.

        Raises:
            InputError: there is no training case.
        """
        settings = self.settings
        self._load(context)
        cases = rng(context.seed, "cases").permutation(context.cases)[: settings.cases]
        if not len(cases):
            raise InputError(f"{context.dataset.name}: has no training case; a user needs a history and an answer")
        histories = {int(user): self._history(int(user), train[int(user)][:-1]) for user in cases}
        self.prepare(list(histories.values()))
        context.validate(self._prepared, settings.validate_limit)  # also where a resumed run validates no more
        yes, no = ([*tokens, self.llm.tokenizer.eos_token_id] for tokens in self.answers)

        def example(user: int) -> list[Example]:
            answer = int(train[user][-1])
            (other,) = negatives.uniform(answer, context.dataset.n_items, 1, rng(context.seed, "negative", user))
            good, bad = self._prompts(histories[user], np.array([answer, other]))
            return [Example(good, yes), Example(bad, no)]

        seen = epochs(cases, settings.epochs, context.seed)
        record = tune(self.llm, example, seen, self.score, settings, context, shared_token_losses)
        self._count_afresh()
        return record.model_copy(update={"notes": record.notes | {"training_cases": len(cases)}})

    def score(self, queries: Queries) -> Tensor:
        """Log-odds of yes, shape [query, candidate].

        Raises:
            InputError: there are no candidates.
        """
        if queries.candidates is None:
            raise InputError("a yes/no recommender is asked about candidates; take --task candidates")
        histories, candidates = self._histories(queries), queries.candidates.cpu().numpy()
        self.prepare(histories)
        first = [tokens[0] for tokens in self.answers]
        scores, since = [], meter.start(self.context.device)
        cases = zip(histories, candidates, strict=True)
        for history, offered in track(cases, f"asking about {candidates.size} candidates", len(histories)):
            prompts = self._prompts(history, offered)
            scores.append(yes_no.score(self.llm.model, prompts, first))
            self.costs.add(tokens=prefix.layout(prompts).tokens)
        seconds, joules = since()
        self.costs.add(seconds=seconds, joules=joules)
        self.asked += len(histories)
        return torch.stack(scores)

    def notes(self) -> dict[str, float | int | str]:
        """Which wording asked, which cases were too long, how unseen users are scored, what asking about a case took.

        All is counted since the tuning.
        """
        name, data_set = self.settings.prompts, self.context.dataset.name
        facts: dict[str, float | int | str] = {
            "prompts": wording.locate(name, data_set).name,
            "prompts_sha256": wording.digest(name, data_set),
            "items_cut": self.texts.cut,
            "cases_cut": len(self.cut),
            "unseen_user": BY_HISTORY,
        }
        if self.lacking:
            facts["fields_that_the_data_lacks"] = ", ".join(self.lacking)
        return facts | self.costs.notes("asking", self.asked, "case")

    def _load(self, context: Context) -> None:
        """Get the wording, the backbone with a fresh adapter, and the items' texts as its tokenizer sees them."""
        settings, self.context = self.settings, context
        self.wording = wording.load(self.asks, settings.prompts, context.dataset.name)
        self.lacking = wording.lacking(self.wording, settings.prompts, context.dataset)
        super()._load(context)
        self._count_afresh()
        prefix.use(self.llm.model)
        self.texts = item_text.item_texts(
            context.dataset, self.wording.fields, self.wording.shed, self.llm.tokenizer, settings.item_tokens
        )
        self.answers = yes_no.answer_tokens(self.llm.tokenizer, self.wording.ending, self.wording.answers)

    def _count_afresh(self) -> None:
        """So that what is counted does not hang on how often a run was resumed."""
        self.cut: set[History] = set()
        self.costs, self.asked = meter.Costs(), 0

    def _prepared(self, queries: Queries) -> Tensor:
        """No scores yet, but all that :meth:`score` will need of the histories."""
        assert queries.candidates is not None
        self.prepare(self._histories(queries))
        return torch.zeros(queries.candidates.shape, device=queries.candidates.device)

    def _histories(self, queries: Queries) -> list[History]:
        rows = queries.history.cpu().numpy()
        return [self._history(user, row[row > 0]) for user, row in zip(queries.user.tolist(), rows, strict=True)]

    def _history(self, user: int, items: npt.NDArray[np.integer]) -> History:
        return History(user, tuple(items[-self.context.window :].tolist()))

    def _prompts(self, history: History, candidates: npt.NDArray[np.integer]) -> list[Tokens]:
        """Token ids of the question about each candidate; all are cut alike."""
        words, recent = self.wording, history.items[max(0, len(history.items) - self.settings.recent) :]

        def render(shown: list[str]) -> list[Tokens]:
            places = {"recent": words.separator.join(shown) or words.nothing} | self.places(history)
            offered = [self.texts.full[item] or words.nothing for item in candidates.tolist()]
            texts = [words.question.format(candidate=candidate, **places) for candidate in offered]
            prompts: list[Tokens] = self.llm.tokenizer(texts)["input_ids"]
            return prompts

        room = self.settings.prompt_tokens - max(map(len, self.answers)) - 1
        remedy = "raise prompt_tokens or lower item_tokens"
        prompts, was_cut = item_text.fit(recent, self.texts, render, room, remedy)
        if was_cut:
            self.cut.add(history)
        return prompts
