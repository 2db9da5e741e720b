"""A re-ranker that writes its ranking: what LlamaRec's letters are timed against, tuned on the same prompts and budget.

Yue et al. 2023 (LlamaRec), section 4.0.7: the LLM generates the ranked list of the titles. Theirs is not tuned to; this
one is, on the title (or letter) of the item that came next and the separator behind it, so that the list goes on.
"""

import torch
from torch import Tensor

from baselines.reranker import Reranker, RerankerConfig
from harness.data.dataset import Sequences
from harness.llm import prompts, ranked_list
from harness.llm.parsing import Ranking, parse
from harness.llm.ranked_list import SEPARATORS, Output
from harness.llm.tokens import behind
from harness.record import FitRecord
from harness.system import Context, Queries, SystemSpec, register


class TitleGeneratorConfig(RerankerConfig):
    """LlamaRec's settings, and what is written.

    Attributes:
        output: the titles, or the letters that stand before them in the prompt.
        constrained: nothing but the candidates is written, each once.
    """

    output: Output = "titles"
    constrained: bool = False


class TitleGenerator(Reranker):
    """The ranker; a candidate's score is its place in the list that is written, from the end."""

    name = "title-generator"

    def __init__(self, settings: TitleGeneratorConfig):
        super().__init__(settings)
        self.answers = settings.output
        self.rankings: list[Ranking] = []
        self.tokens_written = 0

    def fit(self, train: Sequences, context: Context) -> FitRecord:
        """Tune an adapter to begin the list with the item that came next."""
        record = super().fit(train, context)
        self.rankings, self.tokens_written = [], 0  # those of validation
        return record

    def answer(self, place: int, item: int) -> list[int]:
        """The item as the list's first entry, and the separator."""
        text = self.titles[item] if self.settings.output == "titles" else self.labels.texts[place]
        answered = ranked_list.one_line(text) + SEPARATORS[self.settings.output].rstrip(" ")
        return behind(self.llm.tokenizer, self._prompt_end(), answered)

    def score(self, queries: Queries) -> Tensor:
        """Minus each candidate's rank in the list that is written, shape [query, candidate].

        Raises:
            InputError: there are no candidates, or more than letters.
        """
        settings, tokenizer = self.settings, self.llm.tokenizer
        texts = self.prompts_of(queries)
        assert queries.candidates is not None
        offered = [self._names(row) for row in queries.candidates.tolist()]
        lists = ranked_list.write(
            self.llm,
            texts,
            [ranked_list.entries(tokenizer, self._prompt_end(), names, settings.output) for names in offered],
            constrained=settings.constrained,
            batch_size=settings.score_batch,
        )
        rankings = [
            parse(tokenizer.decode(tokens, skip_special_tokens=True), names, settings.output)
            for tokens, names in zip(lists, offered, strict=True)
        ]
        self.rankings += rankings
        self.tokens_written += sum(map(len, lists))
        return -torch.tensor([ranking.rank for ranking in rankings], dtype=torch.float32)

    def notes(self) -> dict[str, float | int | str]:
        """What was written for the queries scored, and what of it named a candidate."""
        return {
            "written": self.settings.output,
            "lists": len(self.rankings),
            "lists_that_name_nothing": sum(ranking.named == 0 for ranking in self.rankings),
            "tokens_written": self.tokens_written,
            "candidates_named": sum(ranking.named for ranking in self.rankings),
            "entries_repeated": sum(ranking.repeated for ranking in self.rankings),
            "entries_unparsed": sum(ranking.unparsed for ranking in self.rankings),
            "entries_invented": sum(ranking.invented for ranking in self.rankings),
        }

    def _names(self, candidates: list[int]) -> list[str]:
        """What the candidates are called in a list."""
        if self.settings.output == "letters":
            return list(self.labels.first(len(candidates)).texts)
        return [self.titles[item] for item in candidates]

    def _prompt_end(self) -> str:
        return prompts.render(self.template, (), ())


register(
    SystemSpec(
        name="title-generator",
        source="the rival in Yue et al. 2023 (LlamaRec), section 4.0.7, tuned as their section 4.0.4",
        config=TitleGeneratorConfig,
        build=TitleGenerator,
        needs=("texts", "retriever", "backbone"),
        llm="LoRA-tuned",
        layout=("micro_batch", "score_batch"),
        asks=("output", "constrained"),
    )
)
