from pathlib import Path

import pytest

from harness.errors import InputError
from harness.papers import paper
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable

LLAMAREC = paper.load("llamarec")


def accuracy(table: str) -> AccuracyTable:
    found = LLAMAREC.table(table)
    assert isinstance(found, AccuracyTable)
    return found


def printed(table: str, system: str, label: str) -> float:
    text = accuracy(table).published["ML-100k"][label][system]
    assert text is not None
    return float(text)


def counts_that_print(value: float, unit: float) -> list[int]:
    """Whole numbers of ``unit`` that are cut or rounded to the four digits of ``value``."""
    near = int(value / unit)
    cut_or_rounded = (lambda x: int(x * 1e4 + 1e-9) / 1e4, lambda x: round(x, 4))
    return [n for n in range(near - 1, near + 3) if any(abs(form(n * unit) - value) < 1e-9 for form in cut_or_rounded)]


def hits_that_print(value: float, users: int, batch: int) -> set[int]:
    """How many users may have been hit, if ``value`` is a mean of batch means of 0 and 1, cut to four digits."""
    batches, last = -(-users // batch), users % batch
    return {
        full + short
        for full in range(users - last + 1)
        for short in range(last + 1)
        if int((full / batch + short / last) / batches * 1e4 + 1e-9) == round(value * 1e4)
    }


def test_every_printed_number_is_there() -> None:
    grids = [grid for table in ("1", "3", "4") for grid in accuracy(table).published.values()]
    assert sum(value is not None for grid in grids for row in grid.values() for value in row.values()) == 200
    assert accuracy("1").published["Games"]["MRR@5"]["LlamaRec"] == "0.0600"


@pytest.mark.parametrize(("dataset", "claimed"), [("ML-100k", 11.99), ("Beauty", 3.99), ("Games", 11.06)])
def test_the_papers_average_improvements_follow_from_its_table(dataset: str, claimed: float) -> None:
    rows = accuracy("1").published[dataset].values()
    numbers = [{name: float(value) for name, value in row.items() if value} for row in rows]
    gains = [row.pop("LlamaRec") / max(row.values()) - 1 for row in numbers]
    assert 100 * sum(gains) / len(gains) == pytest.approx(claimed, abs=0.01)


def test_table_4_repeats_table_1() -> None:
    for label, row in accuracy("4").published["Beauty"].items():
        assert row["LlamaRec"] == accuracy("1").published["Beauty"][label]["LlamaRec"]


@pytest.mark.parametrize("table", ["1", "3"])
def test_no_metric_is_out_of_order(table: str) -> None:
    for grid in accuracy(table).published.values():
        for system in accuracy(table).systems("ML-100k")[1:]:
            value = {label: float(row[system] or "nan") for label, row in grid.items()}
            for k in (5, 10):
                assert value[f"MRR@{k}"] < value[f"NDCG@{k}"] < value[f"Recall@{k}"]
            assert all(value[f"{metric}@5"] < value[f"{metric}@10"] for metric in ("MRR", "NDCG", "Recall"))


def test_which_columns_are_batch_means_follows_from_their_recalls() -> None:
    for table, users in (("1", 610), ("3", 123)):
        for system in ("NARM", "BERT4Rec", "SASRec", "LRURec"):
            assert accuracy(table).estimator("ML-100k", system) == "batch-mean:16"
            for k in (5, 10):
                assert hits_that_print(printed(table, system, f"Recall@{k}"), users, 16)
        assert accuracy(table).estimator("ML-100k", "LlamaRec") == "exact"
        assert accuracy(table).estimator("Games", "NARM") == "exact"
    for system in ("NARM", "BERT4Rec", "SASRec"):
        values = [printed("1", system, f"Recall@{k}") for k in (5, 10)]
        assert not all(counts_that_print(value, 1 / 610) for value in values)


@pytest.mark.parametrize(("k", "hits"), [(5, 52), (10, 93)])
def test_llamarecs_columns_are_exact(k: int, hits: int) -> None:
    assert hits in counts_that_print(printed("1", "LlamaRec", f"Recall@{k}"), 1 / 610)
    assert hits in counts_that_print(printed("3", "LlamaRec", f"Recall@{k}"), 1 / 123)


@pytest.mark.parametrize(("k", "hits"), [(5, 44), (10, 82)])
def test_lrurecs_columns_agree_with_each_other_only_as_batch_means(k: int, hits: int) -> None:
    whole, subset = (printed(table, "LRURec", f"Recall@{k}") for table in ("1", "3"))
    assert hits_that_print(whole, 610, 16) & hits_that_print(subset, 123, 16) == {hits}
    assert not counts_that_print(subset, 1 / 123)


def test_llm_trsrs_table_is_there_and_all_of_its_systems() -> None:
    llm_trsr = paper.load("llm-trsr")
    table = llm_trsr.table("2")
    assert isinstance(table, AccuracyTable)
    rows = [row for grid in table.published.values() for row in grid.values()]
    assert sum(value is not None for row in rows for value in row.values()) == 120
    assert table.published["Amazon-M2"]["Recall@5"]["CORE"] == "0.4632"
    assert table.published["MIND"]["MRR@10"]["LLM-TRSR-Recurrent"] == "0.8534"
    assert set(table.systems("MIND")) == set(llm_trsr.systems)


def test_names_lead_to_the_harness() -> None:
    assert LLAMAREC.datasets["ML-100k"].names == ("ml-latest-small", "ml-100k")
    assert LLAMAREC.datasets["Games"].names == ("amazon-games-2014",)
    assert accuracy("3").users is not None
    assert accuracy("4").systems("Beauty")[-1] == "LlamaRec"
    assert "P5" not in LLAMAREC.systems


@pytest.mark.parametrize(
    ("text", "value", "digit"), [("0.0390", 0.039, 1e-4), ("3,650", 3650, 1), ("100k", 1e5, 1e3), ("4e-2", 0.04, 0.01)]
)
def test_a_printed_number_and_its_last_digit(text: str, value: float, digit: float) -> None:
    assert paper.number(text) == (value, digit)


def test_unknown_names_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"paper 'llamarek' is unknown; known: llamarec"):
        paper.load("llamarek")
    with pytest.raises(InputError, match=r"llamarec:9: no such table; known: 1, 2, 3, 4"):
        LLAMAREC.table("9")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("venue:", "venu:"), "venue"),
        (("MRR@5     -           0.0298  0.0188", "MRR@5     0.0298  0.0188"), "line MRR@5: 5 values for 6 columns"),
        (("      Games: |", "      Toys: |"), "data set Toys is not under datasets"),
        (("default_datasets: [ML-100k]", "default_datasets: [ML-1M]"), "ML-1M is not under datasets"),
        (("users: {system: LRURec", "users: {system: LRU"), "system LRU is not under systems"),
        (("retriever: LRURec", "retriever: LRU"), "table serving: system LRU is not under systems"),
        (('of: "1"', 'of: "2"'), "table variants: 2 is no table of metrics"),
        (('of: "1"', 'of: "3"'), "table variants: table 3 asks other users or another task"),
        (('of: "1"', 'of: "1"\n    asks: {name: candidates}'), "table 1 asks other users or another task"),
        (("{system: NARM, datasets: [Beauty", "{system: NARM, datasets: [Toys"), "Toys is not under datasets"),
        (("{system: NARM, datasets: [Beauty", "{system: GPT, datasets: [Beauty"), "table 1 has no GPT on Beauty"),
        (("settings: {loss: cross-entropy}", "settings: {}"), "settings"),
        (
            (
                "[ML-100k, Beauty, Games], settings: {loss: gbce, negatives: 256}",
                "[Games], settings: {loss: cross-entropy}",
            ),
            "a change of SASRec on Games stands there twice",
        ),
        (("metrics: [Recall@5,", "metrics: [Recal@5,"), "'Recal@5' is no metric at a cut-off"),
        (("NDCG@10   -  ", "NDCG@ten  -  "), "'NDCG@ten' is no metric at a cut-off"),
        (("tables:", "tables: ["), "while parsing"),
        (
            ('where: abstract, table: "1"', 'where: abstract, table: "2"'),
            r"claim \(abstract\): 2 is no table of metrics",
        ),
        (('table: "1", system: LlamaRec}', 'table: "1", system: GPT}'), "table 1 has no GPT on ML-100k"),
        (("datasets: [Beauty], percent", "datasets: [Toys], percent"), "table 1 has no data set Toys"),
        (('"14.31"', "14 %"), "percent"),
    ],
)
def test_a_paper_that_does_not_hold_to_the_schema_is_refused(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    text = (paper.FOLDER / "llamarec.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(InputError, match=complaint) as error:
        paper.parse(broken)
    assert str(broken) in str(error.value)
    assert "\n" not in str(error.value)


def test_all_papers_load() -> None:
    assert all(isinstance(paper.load(name), Paper) for name in paper.names())
