"""One number of a published table or figure, and all that is said of it."""

from typing import Literal

from harness.config import Strict
from harness.significance import CellTest
from harness.verdict import Verdict


class Cell(Strict):
    """One number of a published table; None where a thing was not run or does not apply.

    Attributes:
        paper, table: the paper's name and its table's number.
        dataset, system: as the paper prints them; a statistic has no system.
        ran_dataset, ran_system: the harness's names of what was run.
        x: where a figure has the number on its abscissa; None in a table.
        metric, k: e.g. ``NDCG`` and 10.
        published: the paper's number, and in ``printed`` its digits.
        mean: the reproduced number, over seeds.
        low, high: its 95 % interval, of the kind that ``interval`` names.
        predict_low, predict_high: 95 % prediction interval of one more run, by the column's declared estimator whatever
            is shown; it feeds the verdict.
        seeds: how many.
        backbone: the pretrained LLM that was run.
        estimator: how outcomes became ``mean``; ``exact_mean`` is the plain mean over users.
        difference: ``mean`` - ``published``.
        profile: of the runs.
        configurations: how many configurations there are runs of; :func:`harness.evidence.choose` says which is shown.
        tried: among how many configurations validation chose; 1 where nothing was searched.
        tested: how many of them had been run, and so tested, before the search began.
        search: the command of that search; empty where nothing was searched.
        runs: identities of the runs behind the number.
        commits: what they were run from; ``dirty`` if any tree had changes.
        test: the paper's own system against this one.
    """

    paper: str
    table: str
    dataset: str
    system: str | None
    x: str | int | None = None
    ran_dataset: str | None = None
    ran_system: str | None = None
    metric: str
    k: int | None
    published: float | None
    printed: str | None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    interval: Literal["seeds", "users"] | None = None
    predict_low: float | None = None
    predict_high: float | None = None
    seeds: int | None = None
    backbone: str | None = None
    verdict: Verdict = "not run"
    estimator: str | None = None
    exact_mean: float | None = None
    difference: float | None = None
    profile: str | None = None
    configurations: int | None = None
    tried: int | None = None
    tested: int | None = None
    search: str | None = None
    runs: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    dirty: bool | None = None
    test: CellTest | None = None
