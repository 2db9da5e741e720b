import pytest

from harness.llm import prompts
from harness.llm.backbone import Backbone


def test_llamarec_prompt_is_the_papers() -> None:
    text = prompts.render(
        prompts.load("llamarec"), ["Toy Story (1995)", "Heat (1995)"], ["Alien (1979)", "{Big} & 100 %"]
    )
    assert text == (
        "### Instruction:\n"
        "Given user history in chronological order, recommend an item from the candidate pool with its index letter.\n"
        "\n"
        "### Input:\n"
        "User history: (1) Toy Story (1995) \n (2) Heat (1995); "
        "Candidate pool: (A) Alien (1979) \n (B) {Big} & 100 %\n"
        "\n"
        "### Response:\n"
    )


def test_twenty_candidates_go_up_to_the_letter_t() -> None:
    text = prompts.render(prompts.load("llamarec"), ["h"], [f"item {n}" for n in range(1, 21)])
    assert " \n (T) item 20\n\n### Response:\n" in text
    assert "(U)" not in text


def test_candidates_take_the_labels_that_are_given() -> None:
    text = prompts.render(prompts.load("llamarec"), ["h"], ["one", "two"], ["Z", "AA", "AB"])
    assert "Candidate pool: (Z) one \n (AA) two\n" in text
    with pytest.raises(ValueError, match="zip"):
        prompts.render(prompts.load("llamarec"), ["h"], ["one", "two"], ["Z"])


def test_shorten_cuts_behind_the_last_token_that_fits(tiny: Backbone) -> None:
    assert prompts.shorten(["abcdef", "abcde", "", "Ünder"], tiny.tokenizer, 5) == ["abcde", "abcde", "", "Ünde"]


def test_encode_cuts_from_the_left(tiny: Backbone) -> None:
    whole = prompts.encode("0123456789", tiny.tokenizer, 10)
    assert prompts.encode("0123456789", tiny.tokenizer, 4) == whole[6:]
    assert tiny.tokenizer.decode(whole[6:]) == "6789"
