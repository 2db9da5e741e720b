"""How the verbs print what they found: one JSON document, or a table for people."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import typer

from harness import console, resolve
from harness.audit.finding import STRENGTHS, Finding
from harness.config import RunConfig
from harness.paired.comparison import Comparison
from harness.paired.pvalue import as_text
from harness.recheck import Recheck
from harness.reproduce import Planned

HEADINGS = (
    "metric",
    "difference",
    "95 % over users",
    "p",
    "p, Holm",
    "t",
    "Wilcoxon",
    "McNemar",
    "d",
    "better",
    "+ / = / -",
    "80 % power from",
    "users needed",
)
SEEDS_HEADINGS = ("metric", "s.e., users", "s.e., seeds", "95 % over users and seeds", "p, users and seeds")


def plan(planned: list[Planned], as_json: bool) -> None:
    """What would run for how many cells, what is cached, and how long the rest takes where that was measured."""
    if as_json:
        keys = ("system", "dataset", "profile", "seed")
        rows = [
            {key: getattr(each.config, key) for key in keys} | {"set": _changed(each.config)} | vars(each)
            for each in planned
        ]
        console.document([{key: value for key, value in row.items() if key != "config"} for row in rows])
        return
    missing = [each for each in planned if not each.cached]
    known = sum(each.estimate_s or 0 for each in missing) / 60
    unknown = sum(each.estimate_s is None for each in missing)
    lines = []
    for each in planned:
        left = "cached" if each.cached else f"{each.estimate_s / 60:.1f} min" if each.estimate_s else "unknown"
        config = each.config
        own = resolve.as_assignments(_changed(config))
        lines.append([config.system, config.dataset, config.profile, config.seed, own, each.cells, left])
    console.table(["system", "data set", "profile", "seed", "set", "cells", "time left"], lines)
    typer.echo(
        f"{len(planned)} runs, {len(planned) - len(missing)} cached; left: {known:.0f} min"
        + (f" and {unknown} runs of unknown length" if unknown else "")
    )


def _changed(config: RunConfig) -> dict[str, Any]:
    adapter, probe = config.settings.get("adapter"), config.probe
    return resolve.changed(config) | ({"adapter": adapter} if adapter else {}) | ({"probe": probe} if probe else {})


def rechecks(found: Sequence[Recheck], as_json: bool) -> None:
    """How far the outcomes of kept re-rankers agree with what they are here."""
    rows = []
    for each in found:
        config = each.run.config
        row = {key: getattr(config, key) for key in ("system", "dataset", "profile", "seed")}
        row |= {"run": each.run.record.run, "asked": each.run.record.queries.asked}
        row |= {"same_outcomes": each.is_same(), "equal_rank": each.equal_share()}
        rows.append(row | each.differences() | {"same_machine_and_torch": each.alike})
    if as_json:
        console.document(rows)
        return
    shown = [[f"{value:.6f}" if isinstance(value, float) else value for value in row.values()] for row in rows]
    console.table([key.replace("_", " ") for key in rows[0]], shown)
    typer.echo("NDCG, Recall, MRR: this machine's less the kept value, over all users.")


def comparisons(found: Sequence[Comparison], permutations: int, as_json: bool) -> None:
    """Paired tests, one line a metric and pair of systems."""
    if as_json:
        console.document([each.model_dump(mode="json") for each in found])
        return
    for a, b in dict.fromkeys((each.a, each.b) for each in found):
        own = [each for each in found if (each.a, each.b) == (a, b)]
        first = own[0]
        seeds = f"{first.seeds_a} and {first.seeds_b} seeds" if max(first.seeds_a, first.seeds_b) > 1 else "1 seed each"
        console.table(
            HEADINGS,
            [_line(each) for each in own],
            title=f"{a} less {b}, {first.queries} queries, {seeds}",
        )
        if first.se_seeds is not None:
            console.table(SEEDS_HEADINGS, [_sources(each) for each in own])
    typer.echo(
        f"p: sign-flip test, {permutations:,} permutations. Holm: over a family of {found[0].family} tests (all pairs, "
        "all metrics), of `users and seeds` where there are several seeds of both, else of p. Interval: percentile "
        "bootstrap. d: Cohen's, paired. better: share of queries, ties counted half. 80 % power from: the smallest "
        "difference that one test at 5 %, over users alone and before correction, would find; users needed: for the "
        "observed one."
    )


def audited(found: Sequence[Finding], as_json: bool) -> None:
    """What an audit found, and how much of each strength."""
    if as_json:
        console.document([vars(finding) for finding in found])
        return
    console.table(["strength", "rule", "cells", "detail"], [[f.strength, f.rule, f.cells, f.detail] for f in found])
    counts = Counter(finding.strength for finding in found)
    typer.echo(", ".join(f"{counts[strength]} {strength}" for strength in STRENGTHS))


def _line(each: Comparison) -> list[str]:
    return [
        each.metric,
        f"{each.difference:+.4f}",
        f"[{each.low:+.4f}, {each.high:+.4f}]",
        *(as_text(p) for p in (each.p, each.p_holm, each.p_t, each.p_wilcoxon, each.p_mcnemar)),
        "-" if each.effect is None else f"{each.effect:+.3f}",
        f"{each.superiority:.3f}",
        f"{each.wins} / {each.ties} / {each.losses}",
        "-" if each.mde_80 is None else f"{each.mde_80:.4f}",
        "-" if each.n_needed is None else f"{each.n_needed:,}",
    ]


def _sources(each: Comparison) -> list[str]:
    both = "-" if each.low_both is None else f"[{each.low_both:+.4f}, {each.high_both:+.4f}]"
    return [each.metric, f"{each.se_users:.4f}", f"{each.se_seeds:.4f}", both, as_text(each.p_both)]


def findings(found: dict[str, list[dict[str, Any]]]) -> None:
    """Print what a probe found, a table for each kind of finding."""
    for name, rows in found.items():
        cells = [[f"{value:.4g}" if isinstance(value, float) else value for value in row.values()] for row in rows]
        if rows:
            console.table([key.replace("_", " ") for key in rows[0]], cells, title=name.replace("_", " "))
