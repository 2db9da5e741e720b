"""What stands at the foot of a table: everything that its numbers depend on."""

from collections.abc import Callable, Sequence

from harness.cell import Cell
from harness.commits import UNKNOWN
from harness.papers.exhibit import Exhibit
from harness.papers.paper import Paper
from harness.papers.tables import AccuracyTable, Sweep
from harness.stats import RESAMPLES
from harness.store import Run

SHORT = 12
INTERVALS = {
    "seeds": "s: 95 % over seeds (Student t of the mean)",
    "users": f"u: 95 % over users (percentile bootstrap, {RESAMPLES} resamples), where there is one seed",
}


def foot(
    paper: Paper, table: str, cells: Sequence[Cell], runs: Sequence[Run], command: str
) -> tuple[tuple[str, str], ...]:
    """Lines of (name, text).

    Args:
        paper: the paper.
        table: its table's number.
        cells: the cells of this table.
        runs: the runs behind them.
        command: what rebuilds the table from these runs.
    """
    spec = paper.table(table)
    lines = {
        "Backbone": _backbone(paper, runs),
        "Data": _data(runs),
        "Profile and seeds": _profiles(cells, runs),
    }
    if spec.kind != "statistics":
        lines |= {
            "Interval": "; ".join(text for kind, text in INTERVALS.items() if any(c.interval == kind for c in cells)),
            "Estimator": _by_column(cells, lambda cell: _estimator(cell, spec)),
            "Configurations tried": _by_column(cells, _tried),
            "Searched by": "; ".join(dict.fromkeys(cell.search for cell in cells if cell.search)) or "no search",
        }
        if spec.task()["name"] == "candidates":
            lines["Queries asked"] = _queries(cells, runs)
    lines |= {
        "Commit": "; ".join(dict.fromkeys(commit(run) for run in runs)),
        "Versions": "; ".join(dict.fromkeys(_versions(run) for run in runs)),
        "Rebuilt by": command,
        "At the paper's budget": spec.command,
    }
    return tuple((name, text or "nothing was run") for name, text in lines.items())


def commit(run: Run) -> str:
    """The commits that a run was made from, and whether the tree had changes."""
    names = ", ".join(name[:SHORT] for name in run.record.commits()) or UNKNOWN
    return f"{names} (dirty tree)" if run.record.dirty else names


def _backbone(paper: Paper, runs: Sequence[Run]) -> str:
    models: dict[str, None] = {}
    for run in runs:
        for model, role in ((run.record.model, "behind"), (run.record.summarizer, "summarising for")):
            if model:
                facts = f"{model.dtype}, quantisation {model.quantisation}, sha256 {model.sha256[:SHORT]}"
                models[f"{model.name} ({facts}) {role} {run.config.system}"] = None
    return f"{'; '.join(models) or 'none was run'}; the paper's is {paper.backbone}"


def _data(runs: Sequence[Run]) -> str:
    files: dict[str, dict[str, None]] = {}
    for run in runs:
        for source in run.record.data:
            pinned = "" if source.pinned else " (unpinned)"
            text = f"{source.name} sha256 {source.sha256[:SHORT]}{pinned}"
            files.setdefault(run.config.dataset, {})[text] = None
    return "; ".join(f"{dataset}: {', '.join(texts)}" for dataset, texts in files.items())


def _profiles(cells: Sequence[Cell], runs: Sequence[Run]) -> str:
    seed_of = {run.record.run: str(run.config.seed) for run in runs}
    return _by_column(cells, lambda cell: f"{cell.profile}, seed {'+'.join(seed_of[run] for run in cell.runs)}")


def _queries(cells: Sequence[Cell], runs: Sequence[Run]) -> str:
    asked = {run.record.run: str(run.record.queries.asked) for run in runs}
    return _by_column(cells, lambda cell: "+".join(asked[run] for run in cell.runs))


def _estimator(cell: Cell, spec: Exhibit) -> str:
    if isinstance(spec, AccuracyTable | Sweep) and cell.system:
        declared = spec.estimator(cell.dataset, cell.system)
        if cell.estimator != declared:
            return f"{cell.estimator}, verdicts by {declared}"
    return cell.estimator or ""


def _tried(cell: Cell) -> str:
    if cell.tried == 1:
        return "1, no grid search"
    return f"{cell.tried}, the best on validation" + (f", {cell.tested} of them tested before" if cell.tested else "")


def _by_column(cells: Sequence[Cell], tell: Callable[[Cell], str]) -> str:
    """What is told of the cells that were run, with its columns; what holds for the most columns comes last."""
    columns: dict[str, dict[str, list[str]]] = {}
    for cell in cells:
        if cell.runs:
            systems = columns.setdefault(tell(cell), {}).setdefault(cell.dataset, [])
            name = cell.system if cell.x is None else f"{cell.system} at {cell.x}"
            if name and name not in systems:
                systems.append(name)
    if len(columns) < 2:
        return "".join(columns)
    *fewer, most = sorted(columns, key=lambda text: sum(map(len, columns[text].values())))
    places = {
        text: "; ".join(f"{', '.join(own)} on {dataset}" if own else dataset for dataset, own in columns[text].items())
        for text in fewer
    }
    return ", ".join([*(f"{text} ({where})" for text, where in places.items()), f"otherwise {most}"])


def _versions(run: Run) -> str:
    return ", ".join(f"{name} {version}" for name, version in run.record.versions.items())
