import pytest
import torch

from harness.errors import InputError
from harness.llm import prefix, yes_no
from harness.llm.backbone import Backbone
from harness.seeds import rng


def case(seed: int, shared: int, candidates: int = 21) -> list[list[int]]:
    generator = rng(seed, "case")
    beginning = generator.integers(10, 200, size=shared).tolist()
    ending = generator.integers(10, 200, size=8).tolist()
    lengths = generator.integers(3, 40, size=candidates)
    return [[*beginning, *generator.integers(10, 200, size=n).tolist(), *ending] for n in lengths]


def test_scores_and_ranks_are_those_of_21_full_forwards(tiny: Backbone) -> None:
    prefix.use(tiny.model)
    with torch.inference_mode():
        for prompts in (case(1, 200), case(2, 31, 5), case(3, 300)):
            scores = yes_no.score(tiny.model, prompts, [90, 80])
            logits = torch.stack([tiny.model(input_ids=torch.tensor([one])).logits[0, -1, [90, 80]] for one in prompts])
            assert (scores - (logits[:, 0] - logits[:, 1])).abs().max() < 1e-4
            probability = logits.softmax(1)[:, 0]
            assert scores.argsort().tolist() == probability.argsort().tolist()
            torch.testing.assert_close(scores.sigmoid(), probability, rtol=0, atol=1e-4)


def test_equal_candidates_get_equal_scores(tiny: Backbone) -> None:
    prefix.use(tiny.model)
    one, other = case(1, 50, 2)
    scores = yes_no.score(tiny.model, [one, other, one], [90, 80]).tolist()
    assert scores[0] == pytest.approx(scores[2], abs=1e-5)
    assert scores[0] != pytest.approx(scores[1], abs=1e-3)


def test_tokens_of_the_answers(tiny: Backbone) -> None:
    found = yes_no.answer_tokens(tiny.tokenizer, "### Assistant:\n", ("yes", "no"))
    assert [tiny.tokenizer.convert_ids_to_tokens(one) for one in found] == [["y", "e", "s"], ["n", "o"]]


@pytest.mark.parametrize("answers", [("yes", "yet"), ("yes", "")])
def test_answers_that_cannot_be_told_apart_are_refused(tiny: Backbone, answers: tuple[str, str]) -> None:
    with pytest.raises(InputError, match=f"the answers yes, {answers[1]} behind .* do not differ"):
        yes_no.answer_tokens(tiny.tokenizer, "### Assistant:\n", answers)
