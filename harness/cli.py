"""The verbs. The composition root: it alone registers the systems of ``baselines`` and renders with ``reports``."""

import shlex
import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from harness import (
    audit,
    blind,
    compare,
    console,
    data,
    doctor,
    environment,
    grid,
    keeping,
    metrics,
    probes,
    recheck,
    reproduce,
    resolve,
    run,
    show,
    store,
)
from harness import home as homes
from harness import system as register
from harness.config import Retriever
from harness.costs.kept import all_costs
from harness.engine import local
from harness.errors import HarnessError, InputError, WorkError
from harness.evidence import earlier_runs
from harness.folders import check_folder
from harness.listing import Listing, listing
from harness.llm import backbone as backbones
from harness.options import (
    BackboneOption,
    DebugOption,
    DeviceOption,
    EstimatorOption,
    HomeOption,
    JsonOption,
    MirrorOption,
    ProbeOption,
    ProfileOption,
    RunsOption,
    Targets,
    named,
    parse_search,
    parse_seeds,
)
from harness.paired.signflip import PERMUTATIONS
from harness.reproduce import Planned, Target
from harness.selection import all_selections
from harness.shown import Shown, shown
from harness.store import Run
from reports import render

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Re-runs published experiments on LLM-based recommendation, judges them, and prints the papers' tables again.",
)


def register_systems() -> None:
    """Register this repository's systems and those of installed plug-ins; top level, so that processes can call it."""
    import baselines  # noqa: F401

    register.load_plugins()


@app.command("list")
def list_(
    what: Annotated[Listing | None, typer.Argument(help="Everything, where left out.")] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Systems, data sets, backbones, papers and profiles that the harness knows."""
    wanted = [what] if what else list(Listing)
    found = {each.value: listing(each) for each in wanted}
    if as_json:
        console.document(found[what.value] if what else found)
        return
    for name, rows in found.items():
        cells = [
            [", ".join(v) if isinstance(v, list) else "-" if v is None else v for v in row.values()] for row in rows
        ]
        console.table([key.replace("_", " ") for key in rows[0]], cells, title=name)


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Data sets and backbones.")],
    home: HomeOption = None,
    mirror: MirrorOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Get data sets and backbones, and verify them."""
    state, found = homes.resolve(home, mirror), []
    for name in names:
        if name in data.names():
            records = data.fetch(name, state, console.progress)
        elif name in backbones.names() or "/" in name:
            records = backbones.fetch(name, state, console.progress)
        else:
            known = ", ".join([*data.names(), *backbones.names()])
            raise InputError(f"{name!r} is neither a data set nor a backbone; known: {known}")
        found += [{"name": name, **record.model_dump()} for record in records]
    if as_json:
        console.document(found)
        return
    rows = [
        [r["name"], r["origin"], r["size_bytes"], r["sha256"][:16], "pinned" if r["pinned"] else "unpinned"]
        for r in found
    ]
    console.table(["name", "origin", "bytes", "sha256", "digest"], rows)


@app.command("run")
def run_(
    system: Annotated[str, typer.Argument(help="See `harness list systems`.")],
    dataset: Annotated[str, typer.Option("--dataset", help="A data set's name, or a prepared folder.")],
    task: Annotated[str | None, typer.Option("--task", help="The data set's own, where left out.")] = None,
    profile: ProfileOption = "cpu",
    seed: Annotated[int, typer.Option("--seed", min=0)] = 42,
    backbone: BackboneOption = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; task.KEY for the task's.")
    ] = None,
    retriever: Annotated[
        str | None, typer.Option("--retriever", metavar="RUN", help="The run whose lists a re-ranker orders.")
    ] = None,
    papers_grid: Annotated[
        bool, typer.Option("--grid", help="Search what --set leaves of the system's grid, on validation.")
    ] = False,
    sought: Annotated[
        list[str] | None,
        typer.Option("--search", metavar="KEY=NUMBER,...", help="Choose a setting among these on validation."),
    ] = None,
    probe: ProbeOption = None,
    device: DeviceOption = None,
    home: HomeOption = None,
    mirror: MirrorOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run one system on one data set."""
    state = homes.resolve(home, mirror)
    changes = ({"task.name": task} if task else {}) | ({"backbone": backbone} if backbone else {})
    changes = resolve.parse_assignments(assignments or [], changes)
    searched = dict(grid.of_paper(system, changes)) if papers_grid else {}
    searched |= parse_search(sought or [])
    for key in searched.keys() & changes:
        raise InputError(f"--search {key}: --set fixes it; leave one of them out")
    known = dataset if dataset in data.names() else str(Path(dataset).absolute())
    config = resolve.resolve(system, known, profile, seed, environment.check_device(device), changes)
    if retriever is not None:
        given = store.find(state.runs, retriever)
        if given is None:
            raise InputError(
                f"--retriever {retriever}: no such run under {state.runs}; see `harness run`'s output for identities"
            )
        config = config.model_copy(update={"retriever": Retriever(system=given.config.system, run=retriever)})
    if probe is not None:
        config = config.model_copy(update={"probe": probes.of_name(probe)})
        if searched:
            raise InputError("--probe: a search is made without one; then probe what it took, by --set")
    environment.use_threads()
    execute = partial(grid.search, config, searched) if searched else partial(run.execute, config)
    with redirect_stdout(sys.stderr):  # whatever a system or a library prints
        finished, cached = execute(state, command_line(), console.progress)
    outcomes = finished.outcomes()
    values = {
        f"{m}@{k}": metrics.estimate(outcomes, m, k) for k in metrics.CUTOFFS[config.task.name] for m in metrics.METRICS
    }
    found = probes.findings(finished)
    if as_json:
        summary = {"run": finished.record.run, "folder": str(finished.folder), "cached": cached}
        asked = {key: getattr(finished.config, key) for key in ("system", "dataset", "profile", "seed")}
        console.document(summary | asked | {"metrics": values} | found)
    else:
        console.table(["metric", "value"], [[name, f"{value:.4f}"] for name, value in values.items()])
        show.findings(found)
        typer.echo(f"{'cached ' if cached else ''}run {finished.record.run}: {finished.folder}")
    blind.check(finished)


@app.command("reproduce")
def reproduce_(
    targets: Targets = None,
    profile: ProfileOption = "cpu",
    seeds: Annotated[str, typer.Option("--seeds", metavar="42,43,...")] = "42",
    datasets: Annotated[
        str | None, typer.Option("--datasets", metavar="NAME,...", help="The paper's default, where left out.")
    ] = None,
    systems: Annotated[str | None, typer.Option("--systems", metavar="NAME,...")] = None,
    backbone: BackboneOption = None,
    estimator: EstimatorOption = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Runs at a time.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, run nothing.")] = False,
    tune: Annotated[bool, typer.Option("--tune", help="Tune LLMs afresh, whatever adapter the profile takes.")] = False,
    from_reference: Annotated[
        bool,
        typer.Option("--from-reference", help="Only score kept adapters again, of --systems on --datasets."),
    ] = False,
    device: DeviceOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the report.")] = Path("report"),
    home: HomeOption = None,
    mirror: MirrorOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run what a paper's tables need, and print the tables."""
    state = homes.resolve(home, mirror)
    chosen = reproduce.parse_targets(targets or [], whole=False)
    failed: list[HarnessError] = []
    metrics.check_estimator(estimator or "exact")
    runs: dict[str, Run] = {}
    where = environment.check_device(device)
    check_folder(out, "--out")
    on, only = named(datasets, "--datasets"), named(systems, "--systems")
    if from_reference:
        own = {"--seeds": seeds != "42", "--jobs": jobs != 1, "--out": out != Path("report"), "--estimator": estimator}
        for option, given in (own | {"--dry-run": dry_run, "--tune": tune, "--backbone": backbone}).items():
            if given:
                raise InputError(f"--from-reference: scores what is kept as it is; leave out {option}")
        with redirect_stdout(sys.stderr):
            found = list(recheck.recheck(chosen, on, only, where, state, console.progress))
        show.rechecks(found, as_json)
        return
    changes = ({"backbone": backbone} if backbone else {}) | ({"adapter": None} if tune else {})
    read: dict[str, dict[str, str]] = {}

    def plan(target: Target, sets: dict[str, str]) -> list[Planned]:
        return reproduce.plan(target, sets, profile, parse_seeds(seeds), where, state, only, changes, read)

    sets = {target.paper.id: reproduce.datasets_of(target, on) for target in chosen}
    planned = [each for target in chosen for each in plan(target, sets[target.paper.id])]
    if dry_run:
        show.plan(planned, as_json)
        return
    missing: list[str] = []
    for target in chosen:
        wanted = sets[target.paper.id]
        sets[target.paper.id], files = reproduce.available(target.paper, wanted, state, console.progress)
        read |= files
        missing += wanted.keys() - sets[target.paper.id].keys()
    planned = [each for target in chosen for each in plan(target, sets[target.paper.id])]
    for wave in reproduce.waves(planned):
        for result in local.execute(wave, state, command_line(), jobs, register_systems):
            if isinstance(result, HarnessError):
                failed.append(result)
                console.progress(f"error: {result}")
            else:
                runs |= {each.record.run: each for each in store.with_retriever(state.runs, result)}
    ran = list(runs.values())
    with redirect_stdout(sys.stderr):
        measured, unmeasured = reproduce.measure_costs(
            chosen, sets, profile, where, ran, state, command_line(), console.progress
        )
    searches = all_selections(state.runs)
    earlier = earlier_runs(state.runs, ran, searches)
    show_report(shown(chosen, ran, searches, measured, estimator, earlier), ran, out, as_json)
    if failed:
        kind = InputError if all(isinstance(error, InputError) for error in failed) else WorkError
        raise kind(f"{len(failed)} of {len(planned)} runs failed; the first: {failed[0]}")
    if unmeasured:
        raise WorkError(f"{len(unmeasured)} costs could not be measured; the first: {unmeasured[0]}")
    if missing:
        raise WorkError(f"no source has the data of {', '.join(missing)}; see above")


@app.command()
def report(
    targets: Targets = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="md|tex|html|csv|json", help="Print this format; tables, where left out."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write every format into this folder.")] = None,
    runs: RunsOption = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Copy what backs the tables, and re-rankers' adapters, into --out too.")
    ] = False,
    estimator: EstimatorOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print a paper's tables from finished runs."""
    metrics.check_estimator(estimator or "exact")
    if keep and out is None:
        raise InputError("--keep: copies into the folder that --out names; name one")
    if out:
        check_folder(out, "--out")
    folder = runs or homes.resolve(home).runs
    finished = store.all_runs(folder, probed=True) if runs or folder.is_dir() else []
    selections = all_selections(folder)
    found = shown(reproduce.parse_targets(targets or []), finished, selections, all_costs(folder), estimator)
    if out and keep:
        for path in keeping.keep(found, finished, selections, out):
            console.progress(f"kept: {path}")
    show_report(found, finished, out, as_json, format_)


@app.command("compare")
def compare_(
    named_runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Identities, or run folders.")],
    runs: RunsOption = None,
    permutations: Annotated[int, typer.Option("--permutations", min=1, help="Of the sign-flip test.")] = PERMUTATIONS,
    estimator: Annotated[
        str, typer.Option("--estimator", help="exact, batch-mean:N, target-first or tie-mean.")
    ] = "exact",
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Paired tests between systems that answered the same queries; runs that differ in seed only are one system."""
    metrics.check_estimator(estimator)
    folder = runs or homes.resolve(home).runs
    found = store.all_runs(folder, probed=True) if runs or folder.is_dir() else []
    finished = {run.record.run: run for run in found}
    for name in named_runs:
        if name not in finished and not Path(name).is_dir():
            raise InputError(f"{name}: neither a run under {folder} nor a run's folder")
    chosen = [finished[name] if name in finished else store.open_run(Path(name)) for name in named_runs]
    compared = compare.compare(chosen, finished, estimator, permutations)
    show.comparisons(compared, permutations, as_json)


@app.command("audit")
def audit_(
    target: Annotated[str, typer.Argument(metavar="PAPER|FILE.csv")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """What published numbers can and cannot be, from the printed tables alone."""
    show.audited(audit.audit_target(target), as_json)


@app.command("doctor")
def doctor_(
    home: HomeOption = None, mirror: MirrorOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """What this machine can run, and why not the rest."""
    findings = doctor.examine(homes.resolve(home, mirror))
    if as_json:
        console.document([vars(finding) for finding in findings])
        return
    console.table(["", "what", "found"], [["ok" if f.ok else "--", f.subject, f.detail] for f in findings])


def show_report(
    found: list[Shown], runs: list[Run], out: Path | None, as_json: bool, format_: str | None = None
) -> None:
    """Print the tables' cells or the tables, and write every format into ``out`` where it is given."""
    for each in found:
        if not as_json:
            typer.echo(render.render(each, runs, format_ or "terminal", command_line()))
    if as_json:
        console.document([cell.model_dump(mode="json") for each in found for cell in each.cells])
    for each in found:
        for path in render.write(each, runs, out, command_line()) if out else []:
            console.progress(f"written: {path.absolute()}")


def command_line() -> str:
    """What the user typed."""
    return shlex.join(["harness", *sys.argv[1:]])
