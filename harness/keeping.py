"""What a repository keeps of finished runs: enough to rebuild and to check every number, and no more."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness import selection, store
from harness.cell import Cell
from harness.errors import InputError
from harness.evidence import is_taken
from harness.selection import Selection
from harness.store import Run


def keep(cells: Iterable[Cell], runs: Sequence[Run], selections: Iterable[Selection], folder: Path) -> list[Path]:
    """Copy the runs behind the cells, and the searches that chose them.

    Of a re-ranker's run its adapter is kept too, and of its retriever's run the lists, so that the row can be checked
    by inference alone.

    Returns:
        The copies' folders.

    Raises:
        InputError: a run is itself a copy that lacks what must be kept, or a retriever's run is missing.
    """
    by_id = {run.record.run: run for run in runs}
    shown = [by_id[run] for run in dict.fromkeys(run for cell in cells for run in cell.runs)]
    files = {run.record.run: () for run in shown} | {
        run.config.retriever.run: (store.LISTS,) for run in shown if run.config.retriever
    }
    files |= {run.record.run: (store.WEIGHTS,) for run in shown if run.config.retriever}
    if missing := files.keys() - by_id.keys():
        raise InputError(f"--keep: retriever's run {min(missing)} is not among the runs; its lists must be kept too")
    for each in selections:
        if any(is_taken(run, [each]) for run in shown):
            selection.write(each, folder)
    return [store.keep(by_id[run], folder, *more) for run, more in files.items()]
