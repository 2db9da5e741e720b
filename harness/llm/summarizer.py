"""A frozen LLM summarises histories block by block (Zheng et al. 2024, LLM-TRSR, sections 3.2 and 3.3).

Hierarchical: a summary of each block, then one of those. Recurrent: a summary of the first block, then an update by
each further one. Both begin with the same prompts in the same batches, so that the second finds them in the cache.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal

from pydantic import Field

from harness.config import Settings
from harness.llm import item_text, meter, summary_cache
from harness.llm.backbone import Backbone, Dtype, Quantisation, load
from harness.llm.generation import generate
from harness.llm.item_text import ItemTexts, field_values
from harness.llm.summary import History, Summaries, frequent
from harness.llm.summary_cache import Batch
from harness.llm.tokens import Tokens
from harness.llm.wording import Wording
from harness.progress import track
from harness.seeds import rng
from harness.system import Context

Form = Literal["hierarchical", "recurrent"]
NONE = "none"
WITHOUT_LLM = (NONE, "frequent")  # instead of a backbone's name


class SummarizerConfig(Settings):
    """Who summarises what, and how.

    Attributes:
        summarizer: catalogue name, hub id or folder of a backbone; ``none``: no summary; ``frequent``: the most
            frequent categories and words instead.
        summarizer_dtype: of its forward pass.
        summarizer_quantisation: of its weights.
        block: items of a block.
        blocks: blocks of a history at most; older items are left out.
        summary_tokens: where a summary is cut.
        summarizer_context: tokens of a prompt and its summary at most.
        temperature: of the sampling; at least 0.001, so that no score overflows.
        top_p: of the sampling.
        summary_batch: summaries written at once.
    """

    summarizer: str = Field("upstage/llama-30b-instruct-2048", min_length=1)
    summarizer_dtype: Dtype = "auto"
    summarizer_quantisation: Quantisation = "int8"
    block: int = Field(5, ge=1)
    blocks: int = Field(5, ge=1)
    summary_tokens: int = Field(256, ge=1)
    summarizer_context: int = Field(2048, ge=1)
    temperature: float = Field(1.0, ge=1e-3)
    top_p: float = Field(1.0, gt=0, le=1)
    summary_batch: int = Field(8, ge=1)


class Summarizer:
    """Summaries of one run's histories.

    Attributes:
        written: every summary so far; empty where the model wrote nothing.
        costs: of the batches that were used, also of those found in the cache.
        cut: prompts that were too long.
    """

    def __init__(self, settings: SummarizerConfig, form: Form, wording: Wording, texts: ItemTexts, context: Context):
        self.settings, self.form, self.wording, self.texts, self.context = settings, form, wording, texts, context
        self.written: dict[History, str] = {}
        self.costs = meter.Costs({"tokens_read": 0, "tokens_written": 0, "seconds": 0, "joules": 0})
        self.cut = 0

    @cached_property
    def llm(self) -> Backbone:
        """The summariser, loaded when it is first needed."""
        settings, context = self.settings, self.context
        return load(
            settings.summarizer,
            context.home,
            context.device,
            dtype=settings.summarizer_dtype,
            quantisation=settings.summarizer_quantisation,
            report=context.report,
        )

    def write(self, histories: Sequence[History]) -> None:
        """Summarise all of the histories, or none where all have been; so no batch hangs on what is left to do."""
        if all(history in self.written for history in histories):
            return
        told = [history for history in dict.fromkeys(histories) if any(self.texts.full[item] for item in history.items)]
        if self.settings.summarizer in WITHOUT_LLM:
            texts = {history: self._control(history) for history in told}
        else:
            texts = self._hierarchical(told) if self.form == "hierarchical" else self._recurrent(told)
        self.written |= dict.fromkeys(histories, "") | texts

    def summaries(self) -> Summaries:
        """All that was written, with what it was written from."""
        read = {history: tuple(item for block in self.blocks(history) for item in block) for history in self.written}
        return Summaries(self.written, read, self.texts.full, self._categories())

    def notes(self) -> dict[str, float | int | str]:
        """The cost of a history's summary, and how many prompts were cut."""
        return self.costs.notes("summary", len(self.written), "history") | {"summary_prompts_cut": self.cut}

    def blocks(self, history: History) -> list[tuple[int, ...]]:
        """The history's blocks, oldest first; the last one may be short."""
        size = self.settings.block
        items = history.items[-size * self.settings.blocks :]
        return [items[start : start + size] for start in range(0, len(items), size)]

    def _most_blocks(self, histories: list[History]) -> int:
        return max((len(self.blocks(history)) for history in histories), default=0)

    def _hierarchical(self, histories: list[History]) -> dict[History, str]:
        """One summary a block, then one of those; a single block's is the whole."""
        parts: dict[History, list[str]] = {history: [] for history in histories}
        for number in range(self._most_blocks(histories)):
            asked = {
                history: self._of_items(self.wording.summarize, self.blocks(history)[number])
                for history in histories
                if len(self.blocks(history)) > number
            }
            for history, text in self._step(f"block {number}", asked).items():
                parts[history].append(text)
        several = {history: self._of_summaries(own) for history, own in parts.items() if len(own) > 1}
        overall = self._step("overall", several)
        return {history: overall.get(history, own[0]) for history, own in parts.items()}

    def _recurrent(self, histories: list[History]) -> dict[History, str]:
        """A summary of the first block, brought up to date by each further one; an empty update changes nothing."""
        first = {history: self._of_items(self.wording.summarize, self.blocks(history)[0]) for history in histories}
        texts = self._step("block 0", first)
        for number in range(1, self._most_blocks(histories)):
            asked = {
                history: self._of_items(self.wording.update, self.blocks(history)[number], texts[history])
                for history in histories
                if len(self.blocks(history)) > number
            }
            texts |= {history: text for history, text in self._step(f"update {number}", asked).items() if text}
        return texts

    def _control(self, history: History) -> str:
        if self.settings.summarizer == NONE:
            return ""
        items = [item for block in self.blocks(history) for item in block]
        columns = [field_values(self.context.dataset, name) for name in self.wording.categories]
        kinds = [part.strip() for item in items for column in columns for part in column[item].split("|")]
        titles = [self.context.dataset.titles[item] for item in items]
        return frequent(self.wording.frequent, self.wording.nothing, titles, kinds)

    def _categories(self) -> list[str]:
        columns = [field_values(self.context.dataset, name) for name in self.wording.categories]
        return [" ".join(values) for values in zip(*columns, strict=True)]

    def _of_items(self, template: str, items: Sequence[int], summary: str = "") -> Tokens:
        """The prompt about a block, and about the summary so far where the template has a place for it."""
        nothing = self.wording.nothing
        return self._fitted(
            items, self.texts, lambda shown: template.format(items=shown or nothing, summary=summary or nothing)
        )

    def _of_summaries(self, parts: list[str]) -> Tokens:
        """The prompt about the blocks' summaries; where they are too many, the oldest go first."""
        told = ("", *(part or self.wording.nothing for part in parts))
        texts = ItemTexts(told, told, 0)
        return self._fitted(range(1, len(parts) + 1), texts, lambda shown: self.wording.combine.format(summaries=shown))

    def _fitted(self, items: Sequence[int], texts: ItemTexts, fill: Callable[[str], str]) -> Tokens:
        settings, tokenizer = self.settings, self.llm.tokenizer

        def render(shown: list[str]) -> list[Tokens]:
            return [tokenizer(fill(self.wording.separator.join(shown)))["input_ids"]]

        room = settings.summarizer_context - settings.summary_tokens
        remedy = "raise summarizer_context or lower summary_tokens"
        found, was_cut = item_text.fit(items, texts, render, room, remedy)
        self.cut += was_cut
        return found[0]

    def _step(self, step: str, asked: dict[History, Tokens]) -> dict[History, str]:
        """What the model writes behind each prompt; in batches by length, then user, whatever is already there."""
        order = sorted(asked, key=lambda history: (len(asked[history]), history.user))
        size = self.settings.summary_batch
        texts: dict[History, str] = {}
        for start in track(range(0, len(order), size), f"summarising {len(asked)} histories, {step}"):
            rows = order[start : start + size]
            batch = self._batch(step, [history.user for history in rows], [asked[history] for history in rows])
            self.costs.add(
                tokens_read=batch.tokens_read,
                tokens_written=batch.tokens_written,
                seconds=batch.seconds,
                joules=batch.energy_j,
            )
            texts |= dict(zip(rows, batch.texts, strict=True))
        return texts

    def _batch(self, step: str, users: list[int], asked: list[Tokens]) -> Batch:
        """One batch, from the cache if all that decides it is the same."""
        settings, seed = self.settings, self.context.seed
        decisive = {
            "model": self.llm.record.model_dump(),
            "device": self.context.device.type,
            "sampling": [settings.temperature, settings.top_p, settings.summary_tokens],
            "heading": self.wording.heading,
            "noise": [seed, step, users],
            "prompts": asked,
        }
        file = summary_cache.path(self.context.home, decisive)
        if found := summary_cache.load(file, len(asked)):
            return found
        since = meter.start(self.context.device)
        noise = [rng(seed, "summary", user, step) for user in users]
        tokens = generate(
            self.llm,
            asked,
            max_new_tokens=settings.summary_tokens,
            noise=noise,
            temperature=settings.temperature,
            top_p=settings.top_p,
        )
        texts = [self.llm.tokenizer.decode(text, skip_special_tokens=True) for text in tokens]
        batch = Batch(
            [text.partition(self.wording.heading)[0].strip() for text in texts],
            sum(map(len, asked)),
            sum(map(len, tokens)),
            *since(),
        )
        summary_cache.save(file, batch)
        return batch
