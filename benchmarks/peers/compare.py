"""SASRec, BERT4Rec and NARM here beside RecBole 1.2.1, on the same data, sizes and machine, in one run.

``tox -e peers`` makes RecBole an environment of its own and runs this. LLMREC_PROFILE=cpu takes the whole; the default,
smoke, a few steps. Every measurement is a fresh process. README.md in this folder says what is not alike.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.peers import jobs
from benchmarks.peers.rows import Result, Row, as_table, best, ranking_rows, reach_row, training_rows
from harness import commits, data, environment, home
from harness.errors import HarnessError, WorkError
from harness.tasks import next_item
from harness.training import TrainingConfig

SYSTEMS = ("sasrec", "bert4rec", "narm")
RANKED = "sasrec"
RECBOLE_BATCH = 4096  # its default in evaluation
OWN_BATCH = TrainingConfig.model_fields["batch_size"].default  # the harness's in training
ROOT = Path(__file__).parents[2]


def side(python: str, name: str) -> tuple[str, ...]:
    """The command of one side."""
    return python, "-m", f"benchmarks.peers.{name}"


def ask(command: tuple[str, ...], job: jobs.Job) -> Result:
    """Run one side on one job, in a process of its own.

    Raises:
        WorkError: it failed, or printed no result.
    """
    what = f"{command[-1].rpartition('.')[2]}, {job['measure']} of {job['system']}"
    print(what, file=sys.stderr)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as scratch:  # RecBole leaves logs where it runs
        done = subprocess.run(
            command, input=json.dumps(job), cwd=scratch, env=environ, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise WorkError(f"{what}: {(done.stderr.splitlines() or ['no message'])[-1]}")
    return last_line(done.stdout, what)


def last_line(output: str, what: str) -> Result:
    """The JSON object in the last line of an output; libraries may have printed before it.

    Raises:
        WorkError: there is none.
    """
    line = (output.splitlines() or [""])[-1]
    try:
        result = json.loads(line)
    except ValueError:
        result = None
    if not isinstance(result, dict):
        raise WorkError(f"{what}: the last line is {line[:80]!r}; expected a JSON object")
    return result


def check_same_data(ours: Result, peer: Result) -> None:
    """Refuse to compare sides that did not read the same users and items.

    Raises:
        WorkError: their numbers differ.
    """
    for key in ("users", "items"):
        if ours[key] != peer[key]:
            raise WorkError(f"the harness read {ours[key]} {key}, RecBole {peer[key]}; both must read the same")


def measure(python: str, plan: jobs.Plan, folder: Path) -> Iterator[tuple[list[Row], Result]]:
    """One comparison after the other: its rows, and what both sides were asked and said.

    Args:
        python: of the environment that has RecBole.
        plan: how much to measure.
        folder: takes the data in RecBole's format.
    """
    harness, recbole = side(sys.executable, "harness_side"), side(python, "recbole_side")
    common = jobs.SIZES | {"folder": str(folder), "threads": torch.get_num_threads()}
    atomic = jobs.write_atomic(data.load(jobs.TRAINED, home.resolve(), print), folder)
    for system in SYSTEMS:
        job = common | {"measure": "training", "system": system, "train_s": plan.train_s, "points": plan.points}
        job |= {"dataset": atomic, "evaluation_batch": RECBOLE_BATCH}
        peer = ask(recbole, job)
        job |= {"until_ndcg": best(peer)["ndcg"]}
        ours = ask(harness, job)
        check_same_data(ours, peer)
        own = ask(harness, job | {"batch": OWN_BATCH})
        reached = [reach_row(system, result, peer, batch) for result, batch in ((ours, job["batch"]), (own, OWN_BATCH))]
        rows = training_rows(system, ours, peer) + reached
        yield rows, {"job": job, "harness": ours, "harness_own_batch": own, "recbole": peer}

    atomic = jobs.write_atomic(jobs.beauty_sized(plan.ranked_users), folder)
    job = common | {"measure": "ranking", "system": RANKED, "users": plan.ranked_users, "dataset": atomic}
    ours = ask(harness, job)
    for batch in (RECBOLE_BATCH, next_item.BATCH):
        peer = ask(recbole, job | {"evaluation_batch": batch})
        check_same_data(ours, peer)
        rows = ranking_rows(RANKED, ours, peer, batch, judged=batch == RECBOLE_BATCH)
        yield rows, {"job": job, "harness": ours, "recbole": peer}


def main() -> None:
    """Measure, print the table, write the JSON; a missed goal is printed and is no failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recbole", required=True, help="the Python of the environment that has RecBole")
    parser.add_argument("--json", type=Path, help="where to write rows, curves and hardware")
    options = parser.parse_args()
    profile = os.environ.get("LLMREC_PROFILE", "smoke")
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = list(measure(options.recbole, jobs.plan(profile), Path(folder)))
        except HarnessError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_status)
    rows = [row for some, _ in found for row in some]
    print(as_table(rows))
    if options.json:
        git_sha, dirty = commits.here()
        document = {
            "profile": profile,
            "git_sha": git_sha,
            "dirty": dirty,
            "hardware": environment.hardware(),
            "versions": environment.versions(),
            "rows": [asdict(row) | {"times": row.times, "verdict": row.verdict} for row in rows],
            "results": [result for _, result in found],
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
