import pytest

from harness.llm import leakage, summary_statistics
from harness.llm.summary import History, Summaries, frequent

TITLES = ("", "The Thin Red Line", "Red Dawn", "Alien", "Blue Velvet")
ITEMS = ("", "title: The Thin Red Line; genres: War", "title: Red Dawn", "title: Alien; genres: Horror", "title: Blue")


def found(text: str, target: int = 3, items: tuple[int, ...] = (1, 2)) -> dict[str, object]:
    history = History(7, items)
    summaries = Summaries({history: text}, {history: items}, ITEMS, ("", "War", "", "Horror", ""))
    return leakage.check(summaries, {History(7, (1, 2)): target, History(7, (1, 3)): target}, TITLES, 1)


def test_an_honest_summary() -> None:
    said = found("Likes war films such as Red Dawn.")
    assert said["summaries"] == 1
    names = ("of_unknown_histories", "with_target_in_history", "naming_target", "with_word_of_target")
    assert [said[f"summaries_{name}"] for name in names] == [0, 0, 0, 0]


def test_planted_leaks_are_found() -> None:
    assert found("Will watch ALIEN next!")["summaries_naming_target"] == 1
    assert found("Will watch aliens next")["summaries_naming_target"] == 0
    assert found("loves velvet", target=4)["summaries_with_word_of_target"] == 1
    assert found("loves velvet", target=4)["summaries_naming_target"] == 0
    assert found("any", items=(1, 2, 3))["summaries_of_unknown_histories"] == 1
    assert found("any", items=(2, 1))["summaries_of_unknown_histories"] == 1


def test_what_the_history_names_is_no_leak() -> None:
    said = found("Likes Alien.", items=(1, 3))
    assert (said["summaries_with_target_in_history"], said["summaries_naming_target"]) == (1, 0)
    assert said["summaries_with_word_of_target"] == 0
    assert found("Red Dawn", target=2)["summaries_naming_target"] == 0


def test_words_of_a_random_item_are_counted_beside() -> None:
    history = {History(user, ()): "alien" for user in range(200)}
    nothing = dict.fromkeys(history, ())

    def random_hits(categories: tuple[str, ...], text: str = "alien") -> int:
        written = dict.fromkeys(history, text)
        said = leakage.check(Summaries(written, nothing, ITEMS, categories), dict.fromkeys(history, 3), TITLES, 1)
        assert said["summaries_with_word_of_target"] == (200 if text == "alien" else 0)
        return int(said["summaries_with_word_of_random_item"])

    assert random_hits(ITEMS) == random_hits(("", "", "", "Horror", "Horror")) == 0
    assert 40 <= random_hits(ITEMS, "velvet") <= 95  # alone in its category: any of three others
    assert random_hits(("", "", "", "Horror", "Horror"), "velvet") == 200  # its category has one other


def test_what_a_summariser_was_not_shown_excuses_nothing() -> None:
    history = History(7, (3, 1, 2))
    summaries = Summaries({history: "alien"}, {history: (1, 2)}, ITEMS, ITEMS)
    said = leakage.check(summaries, {history: 3}, TITLES, 1)
    assert (said["summaries_naming_target"], said["summaries_of_unknown_histories"]) == (1, 0)
    shown_more = Summaries({history: "x"}, {history: (3, 2)}, ITEMS, ITEMS)
    assert leakage.check(shown_more, {history: 3}, TITLES, 1)["summaries_of_unknown_histories"] == 1


@pytest.mark.parametrize(
    ("text", "title", "named"),
    [("a: The, thin red-line!", "The Thin Red Line", True), ("thin red", "Thin Red Line", False), ("x", "...", False)],
)
def test_naming(text: str, title: str, named: bool) -> None:
    assert leakage.names(text, title) == named


def test_statistics_by_hand() -> None:
    texts = {History(1, (1, 2)): "War war war war, red", History(2, (3,)): "", History(3, (3,)): "No alien here"}
    said = summary_statistics.describe(
        Summaries(texts, {history: history.items for history in texts}, ITEMS, ("", "War", "", "Horror", ""))
    )
    assert said["summaries_empty"] == 1
    assert said["summary_words"] == 4  # 5 and 3
    # of title, thin, red, line, genres, war, dawn: red, war; of title, alien, genres, horror: alien
    assert said["summary_share_of_item_words"] == pytest.approx((2 / 7 + 1 / 4) / 2)
    assert said["summary_share_of_category_words"] == pytest.approx(1 / 2)
    assert said["summary_repeats"] == 0


def test_repeats() -> None:
    assert summary_statistics.repeats("a b c a b c") == pytest.approx(1 / 4)
    assert summary_statistics.repeats("a b") == 0


def test_no_summaries_at_all() -> None:
    assert summary_statistics.describe(Summaries({}, {}, ITEMS, ITEMS))["summary_words"] == 0


def test_the_control_counts_and_breaks_ties_by_first_sight() -> None:
    text = frequent("{categories} / {words}", "-", ["Big red bus", "Red car", "The bus"], ["toy", "car", "", "car"])
    assert text == "car, toy / red, bus, big, car"
    assert frequent("{categories} / {words}", "-", ["Bus"], [""]) == "- / bus"
    assert frequent("{categories} / {words}", "-", ["12"], [""]) == ""
