"""LLM-TRSR: an LLM reads a text-rich history as a summary by another LLM and a few recent items, and says yes or no.

Zheng et al., "Harnessing Large Language Models for Text-Rich Sequential Recommendation", WWW 2024.
"""

from typing import ClassVar

from baselines.yes_no import YesNoConfig, YesNoRecommender
from harness.llm.summarizer import WITHOUT_LLM, Form, Summarizer, SummarizerConfig
from harness.llm.summary import History, Summaries
from harness.llm.wording import Question, Wording
from harness.record import ModelRecord
from harness.system import Context, SystemSpec, register


class TrsrConfig(SummarizerConfig, YesNoConfig):
    """The paper's summariser and recommender (section 4.1)."""


class Trsr(YesNoRecommender):
    """The recommender, whose prompts hold a summary beside the recent items."""

    form: ClassVar[Form]
    asks: ClassVar[type[Question]] = Wording
    wording: Wording

    def prepare(self, histories: list[History]) -> None:
        """Have the histories summarised."""
        self.summarizer.write(histories)

    def places(self, history: History) -> dict[str, str]:
        """The history's summary."""
        return {"summary": self.summarizer.written[history] or self.wording.nothing}

    def summaries(self) -> Summaries:
        """All that was summarised."""
        return self.summarizer.summaries()

    def summarizer_model(self) -> ModelRecord | None:
        """The summariser; None where summaries are left out or made without an LLM."""
        return None if self.settings.summarizer in WITHOUT_LLM else self.summarizer.llm.record

    def notes(self) -> dict[str, float | int | str]:
        """Those of the recommender and of the summariser."""
        return super().notes() | self.summarizer.notes()

    def _load(self, context: Context) -> None:
        super()._load(context)
        self.summarizer = Summarizer(self.settings, self.form, self.wording, self.texts, context)


class Hierarchical(Trsr):
    """One summary a block, then one of those (section 3.2)."""

    form = "hierarchical"


class Recurrent(Trsr):
    """A summary of the first block, brought up to date by each further one (section 3.3)."""

    form = "recurrent"


for system in (Hierarchical, Recurrent):
    register(
        SystemSpec(
            name=f"trsr-{system.form}",
            source=f"Zheng et al. 2024 (LLM-TRSR), section 3, {system.form} summaries; their code for settings",
            config=TrsrConfig,
            build=system,
            tasks=("candidates",),
            needs=("backbone", "prompts", "summarizer"),
            llm="LoRA-tuned",
            conventional=False,
            layout=("micro_batch",),
        )
    )
