"""LlamaRec: a tuned LLM ranks a retriever's items by the logits of their index letters.

Yue et al., "LlamaRec: Two-Stage Recommendation using Large Language Models for Ranking", PGAI@CIKM 2023.
"""

from torch import Tensor

from baselines.reranker import Reranker, RerankerConfig
from harness.llm import verbalizer
from harness.system import Queries, SystemSpec, register


class LlamaRec(Reranker):
    """The ranker; it is tuned to answer with a letter and the end."""

    name = "llamarec"
    answers = "one letter"

    def answer(self, place: int, item: int) -> list[int]:
        """The letter at the item's place, and the end token."""
        return [self.labels.tokens[place], self.llm.tokenizer.eos_token_id]

    def score(self, queries: Queries) -> Tensor:
        """Logits of the candidates' letters, shape [query, candidate].

        Raises:
            InputError: there are no candidates, or more than letters.
        """
        texts = self.prompts_of(queries)
        assert queries.candidates is not None
        letters = self.labels.first(queries.candidates.shape[1])
        return verbalizer.score(self.llm, texts, letters.tokens, self.settings.score_batch)


register(
    SystemSpec(
        name="llamarec",
        source="Yue et al. 2023 (LlamaRec), section 3.2; their code for formats",
        config=RerankerConfig,
        build=LlamaRec,
        needs=("texts", "retriever", "backbone"),
        llm="LoRA-tuned",
        layout=("micro_batch", "score_batch"),
    )
)
