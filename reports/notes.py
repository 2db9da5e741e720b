"""Sentences under a table: what a reader must know of the runs before believing the numbers."""

import math
from collections.abc import Sequence

from harness.cell import Cell
from harness.gains import PER_USER
from harness.metrics import Place, estimate
from harness.paired.comparison import Side, compare
from harness.paired.pvalue import as_text
from harness.paired.signflip import PERMUTATIONS
from harness.repeated import WITHOUT
from harness.store import Run
from reports.foot import SHORT

UNSEEN_USER = "unseen_user"
APART = (UNSEEN_USER, "letters")
ENDS = {
    "budget": "its whole budget",
    "patience": "stopped as validation no longer rose",
    "goal": "stopped as validation had reached the retriever's own order",
    "closed form": "nothing tuned",
}


def notes(cells: Sequence[Cell], runs: Sequence[Run], by_id: dict[str, Run]) -> tuple[str, ...]:
    """All sentences, the data's first and the tests' last.

    Args:
        cells: the cells of the table.
        runs: the runs behind them.
        by_id: all runs there are, by identity: a re-ranker is held against its retriever.
    """
    sentences = [*_data(runs), *_configurations(cells), *_unseen_users(runs)]
    for run in runs:
        name = f"{run.config.system} on {run.config.dataset}, seed {run.config.seed}"
        if run.config.retriever:
            retriever = by_id.get(run.config.retriever.run)
            against = f" {against_retriever(run, retriever)}" if retriever else ""
            sentences.append(f"{name}: {training(run)}{against}")
        elif run.config.task.name == "candidates" and (facts := _facts(run)):
            sentences.append(f"{name}: {'; '.join(facts)}.")
    return tuple(dict.fromkeys([*sentences, *_families(cells)]))


def training(run: Run) -> str:
    """What a re-ranker's training came to, and whom it was asked."""
    fit, queries = run.record.fit, run.record.queries
    facts = [f"{fit.steps} steps, {ENDS[fit.stopped]}", *_facts(run)]
    if letters := fit.notes.get("letters"):
        facts.append(f"guessing among {letters} letters costs ln {letters} = {math.log(float(letters)):.3f}")
    return (
        f"{'; '.join(facts)}. {queries.asked} queries asked, {queries.withheld} "
        "withheld because the target was not retrieved."
    )


def is_of_summaries(note: str) -> bool:
    """Whether a note tells of a run's summaries what the table of summaries shows; their costs stand with the gains."""
    return note.startswith(("summaries", "summary_")) and not note.endswith(PER_USER)


def _facts(run: Run) -> list[str]:
    """A run's own notes, but for those that stand in a sentence or a table of their own."""
    notes = run.record.fit.notes.items()
    return [
        f"{name.replace('_', ' ')} {_short(name, value)}"
        for name, value in notes
        if name not in APART and not name.endswith((*PER_USER, WITHOUT)) and not is_of_summaries(name)
    ]


def _short(name: str, value: float | int | str) -> str:
    if name.endswith("sha256"):
        return str(value)[:SHORT]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unseen_users(runs: Sequence[Run]) -> list[str]:
    """How users are scored whose histories training lacks; the systems that do alike in one sentence."""
    told: dict[str, dict[str, None]] = {}
    for run in runs:
        if run.config.task.name == "candidates" and (how := run.record.fit.notes.get(UNSEEN_USER)):
            told.setdefault(str(how), {})[run.config.system] = None
    return [f"A user of whom training has nothing is scored {how}: {', '.join(own)}." for how, own in told.items()]


def against_retriever(run: Run, retriever: Run) -> str:
    """Whether a re-ranker ends above or below the order that it was given, on the queries that it was asked."""
    outcomes = run.outcomes()
    asked = outcomes.take(outcomes.asked)
    if not len(asked):
        return "No query was asked: its numbers are its retriever's."
    given = retriever.outcomes().among(asked.query)
    own, before = (estimate(each, "NDCG", 10) for each in (asked, given))
    verb = "ends below" if own < before else "ends above" if own > before else "equals"
    draw = (run.record.run,)
    sides = Side(run.config.system, (asked,), draw), Side(retriever.config.system, (given,), draw)
    (test,) = compare([sides], [Place("NDCG", 10)], run.config.seed)
    return (
        f"It {verb} its own retriever ({retriever.config.system}): NDCG@10 {own:.4f} against {before:.4f} "
        f"over the {len(asked)} queries asked, difference {test.difference:+.4f} [{test.low:+.4f}, {test.high:+.4f}] "
        f"(95 % over users), p {as_text(test.p)} of this test alone."
    )


def _data(runs: Sequence[Run]) -> list[str]:
    sentences = [f"{run.config.dataset}: {note}" for run in runs for note in run.record.data_notes]
    for run in runs:
        if not (seen := run.record.queries.target_seen):
            continue
        if run.config.task.name == "candidates":
            sentences.append(
                f"{run.config.dataset}, seed {run.config.seed}: {seen} of the {run.record.queries.asked} targets asked "
                "about stand in their own history."
            )
        else:
            sentences.append(
                f"{run.config.dataset}: the targets of {seen} queries also stand among the items that are excluded; "
                "a target is never masked."
            )
    return sentences


def _configurations(cells: Sequence[Cell]) -> list[str]:
    return [
        f"{cell.system} on {cell.dataset}: {cell.configurations} configurations were found; shown is the paper's "
        f"own where it was run, else that of the most expensive profile ({cell.profile}), then what a search took on "
        "validation, then that of the most seeds."
        for cell in cells
        if (cell.configurations or 0) > 1
    ]


def _families(cells: Sequence[Cell]) -> list[str]:
    """Which tests the daggers come from; the paper's rows and added rows are corrected apart."""
    sentences = []
    for added in (False, True):
        tested = [(cell, cell.test) for cell in cells if cell.test and cell.test.added == added]
        if not tested:
            continue
        rows = ", ".join(dict.fromkeys(cell.system or "" for cell, _ in tested))
        sets = ", ".join(dict.fromkeys(cell.dataset for cell, _ in tested))
        row = tested[0][1].comparison
        seeds = "over users and seeds where both have several"
        if any(test.comparison.seeds_b < (cell.seeds or 0) for cell, test in tested if not test.ordered):
            seeds = "of one seed, as each seed has users of its own"
        budgets = dict.fromkeys(
            f"{cell.system} at {test.profiles[1]} beside {row.a} at {test.profiles[0]}"
            for cell, test in tested
            if test.profiles[0] != test.profiles[1]
        )
        ordered = dict.fromkeys(cell.system or "" for cell, test in tested if test.ordered)
        lists = f" {', '.join(ordered)} stands with the runs whose lists {row.a} ordered." if ordered else ""
        sentences.append(
            f"† {row.a} is better, ‡ it is worse than the system of the cell, at 5 % after Holm's correction over a "
            f"family of {row.family} tests ({row.a} against {'the added ' if added else ''}{rows} on {sets}, all "
            f"metrics), on exact means: sign-flip test over users, {PERMUTATIONS:,} permutations; {seeds} "
            f"(docs/statistics.md).{lists}{' Unequal budgets: ' + ', '.join(budgets) + '.' if budgets else ''}"
        )
    return sentences
