"""What a repository keeps of finished runs: enough to rebuild and to check every number, and no more."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness import positions, selection, store
from harness.costs import kept as costs
from harness.costs.rankers import checkpoint
from harness.errors import InputError
from harness.evidence import is_taken, tested_before
from harness.selection import Selection
from harness.shown import Shown
from harness.store import Run

COSTS = "costs"


def keep(found: Sequence[Shown], runs: Sequence[Run], selections: Iterable[Selection], folder: Path) -> list[Path]:
    """Copy the runs behind what is shown, the searches that chose them with what had been tested before, and the costs.

    Of a re-ranker's run its adapter is kept too, with the run that tuned it where that is another of these runs, and of
    its retriever's run the lists, so that the row can be checked by inference alone; of a run with summaries these, and
    of a probe of the order where the targets stood.

    Returns:
        The copies' folders and files.

    Raises:
        InputError: a run is itself a copy that lacks what must be kept, or a retriever's run is missing.
    """
    by_id = {run.record.run: run for run in runs}
    cells = [run for each in found for cell in each.cells for run in cell.runs]
    rows = [row for each in found for row in each.costs]
    varied = [run for each in found for row in each.variants for run in row.runs]
    names = dict.fromkeys([*cells, *(row.run for row in rows if row.run), *varied])
    tuners = [checkpoint(by_id[name]) for name in names if by_id[name].config.retriever]
    shown = [by_id[name] for name in dict.fromkeys([*names, *(name for name in tuners if name in by_id)])]
    files = {run.record.run: () for run in shown} | {
        run.config.retriever.run: (store.LISTS,) for run in shown if run.config.retriever
    }
    files |= {
        run.record.run: (store.WEIGHTS,) for run in shown if run.config.retriever and checkpoint(run) == run.record.run
    }
    files |= {run.record.run: (store.SUMMARIES,) for run in shown if store.SUMMARIES in run.record.files}
    files |= {run.record.run: (positions.FILE,) for run in shown if (run.folder / positions.FILE).exists()}
    if missing := files.keys() - by_id.keys():
        raise InputError(f"--keep: retriever's run {min(missing)} is not among the runs; its lists must be kept too")
    searches = [each for each in selections if any(is_taken(run, [each]) for run in shown)]
    for each in searches:
        files |= {run.record.run: () for run in tested_before(each, runs) if run.record.run not in files}
    chosen = [selection.write(each, folder) for each in searches]
    measured = [*(row.cost for row in rows), *(cost for each in found for cost in each.serving)]
    kept = [costs.write(cost, folder / COSTS) for cost in {cost.point: cost for cost in measured}.values()]
    return [*(store.keep(by_id[run], folder, *more) for run, more in files.items()), *chosen, *kept]
