from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness.errors import InputError
from harness.llm import wording
from harness.llm.wording import Question, Wording
from tests.worlds import dataset

KINDS = ("trsr_movies", "trsr_news", "trsr_purchases")


@pytest.mark.parametrize("name", KINDS)
def test_headings_and_order_are_the_papers(name: str) -> None:
    words = wording.load(Wording, name, "any")
    for prompt in (words.summarize, words.combine, words.update, words.question):
        assert prompt.startswith("### User:\n")
        assert prompt.endswith("\n\n### Assistant:\n")
        assert prompt.count("### ") == 2
    assert words.question.index("{summary}") < words.question.index("{recent}") < words.question.index("{candidate}")
    assert set(words.shed) <= set(words.fields) - {"title"}
    assert words.answers == ("yes", "no")


def test_a_data_set_has_the_wording_of_its_kind() -> None:
    named = {name: Path(str(wording.locate(None, name))).stem for name in ("mind-small-sample", "ml-100k", "mine")}
    assert named == {"mind-small-sample": "trsr_news", "ml-100k": "trsr_movies", "mine": "trsr_purchases"}


def test_a_users_own_file_counts_with_its_digest(tmp_path: Path) -> None:
    own = yaml.safe_load(wording.locate("trsr_news", "any").read_text(encoding="utf-8"))
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(own | {"answers": ["ja", "nein"]}))
    assert wording.load(Wording, str(file), "any").answers == ("ja", "nein")
    before = wording.digest(str(file), "any")
    file.write_text(yaml.safe_dump(own))
    assert wording.digest(str(file), "any") != before


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"question": "{recent} {candidate}"}, r"question has the places \['candidate', 'recent'\]; expected"),
        ({"combine": "{summaries} {items}"}, "combine has the places"),
        ({"answer": "yes"}, "answer: Extra inputs"),
        ({"answers": ["yes"]}, "answers.1: Field required"),
        ({"frequent": "{categories.x} {words}"}, "frequent: the place 'categories.x' is not a name alone"),
        ({"frequent": "{categories[0]} {words}"}, r"frequent: the place 'categories\[0\]' is not a name alone"),
        ({"frequent": "{categories} {words!r}"}, "frequent: the place 'words' is not a name alone; write a place as"),
        ({"frequent": "{categories:>999999999} {words}"}, "frequent: the place 'categories' is not a name alone"),
        ({"frequent": "{} {categories} {words}"}, "frequent: the place '' is not a name alone"),
        ({"frequent": "{0} {categories} {words}"}, "frequent: the place '0' is not a name alone"),
        ({"frequent": "{categories} {words} }"}, "frequent: Single '}' encountered in format string; write a place"),
        ({"frequent": "{categories} {words} {"}, "frequent: Single '{' encountered in format string; write a place"),
        ({"heading": ""}, "heading: String should have at least 1 character"),
        ({"fields": []}, "fields: Tuple should have at least 1 item"),
        ({"categories": []}, "categories: Tuple should have at least 1 item"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    own = yaml.safe_load(wording.locate("trsr_news", "any").read_text(encoding="utf-8"))
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(own | change))
    with pytest.raises(InputError, match=complaint) as error:
        wording.load(Wording, str(file), "any")
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_braces_of_the_text_stand_twice_and_are_no_place(tmp_path: Path) -> None:
    own = yaml.safe_load(wording.locate("tallrec", "any").read_text(encoding="utf-8"))
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(own | {"question": "{{x}} {recent} {candidate} {{y}} z"}))
    words = wording.load(Question, str(file), "any")
    assert words.question.format(recent="a", candidate="{b}") == "{x} a {b} {y} z"
    assert words.ending == " {y} z"


def test_a_file_nested_without_end_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("fields: " + "[" * 20_000)
    with pytest.raises(InputError, match=r"mine\.yaml: nested too deeply; expected keys with texts"):
        wording.load(Question, str(file), "any")


@pytest.mark.parametrize("value", ["!!timestamp x", "!!bool x", "!!int ''", "2001-99-99"])
def test_all_that_stands_in_a_file_is_text(tmp_path: Path, value: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        f"fields: [title]\nseparator: {value}\nnothing: no\nquestion: '{{recent}} {{candidate}}'\nanswers: [yes, no]"
    )
    words = wording.load(Question, str(file), "any")
    assert words.separator == value.split()[-1].strip("'")
    assert (words.nothing, words.answers) == ("no", ("yes", "no"))


def test_fields_that_the_data_lacks_are_told_and_one_without_any_is_refused(tmp_path: Path) -> None:
    data = replace(dataset([[1, 2]]), fields={"brand": ("", "a", "b")})
    lacking = wording.lacking(wording.load(Wording, "trsr_purchases", "any"), "trsr_purchases", data)
    assert lacking == "price color size model material author categories description".split()
    own = yaml.safe_load(wording.locate("trsr_news", "any").read_text(encoding="utf-8"))
    file = tmp_path / "mine.yaml"
    for fields in (["titel", "categorie"], ["id", "titel"], ["id"]):
        file.write_text(yaml.safe_dump(own | {"fields": fields}))
        with pytest.raises(InputError, match=rf"mine\.yaml: fields: {', '.join(fields)}: .* it has: id, title, brand$"):
            wording.lacking(wording.load(Wording, str(file), "any"), str(file), data)
    file.write_text(yaml.safe_dump(own | {"fields": ["brand"], "shed": ["brant"], "categories": ["id", "kind"]}))
    assert wording.lacking(wording.load(Wording, str(file), "any"), str(file), data) == ["brant", "kind"]


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(InputError, match="prompts=nowhere: no such file; known: trsr_movies, trsr_news"):
        wording.load(Wording, "nowhere", "any")


def test_tallrec_has_the_question_alone() -> None:
    words = wording.load(Question, "tallrec", "any")
    assert words.question.endswith("### Response:\n")
    assert words.answers == ("Yes.", "No.")
