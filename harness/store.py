"""Run folders: written whole or not at all, found by identity, verified when read."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor

from harness import outcomes as outcome_file
from harness.config import RunConfig, one_line
from harness.data.dataset import Ids
from harness.data.digest import sha256_of
from harness.errors import InputError, WorkError
from harness.folders import below, copy_whole, sync
from harness.outcomes import Outcomes
from harness.record import RunRecord

RECORD = "run.json"
PARTS = ("validation", "test")
WEIGHTS = "weights.safetensors"
SUMMARIES = "summaries.parquet"
LISTS, VALIDATION = "lists.parquet", "validation.parquet"
EVIDENCE = ("config.yaml", "outcomes.parquet")  # what a copy must hold: everything that is printed comes from it
RESTORE = "restore the file, or delete the folder and run again"


def identity(config: RunConfig, inputs: dict[str, str]) -> str:
    """Identity of a run: digest of its resolved config and of its inputs' digests, 16 hex digits."""
    return _identity(config.model_dump(mode="json"), inputs)


def _identity(config: dict[str, Any], inputs: dict[str, str]) -> str:
    """From a config as it is written; the first runs were kept before there were some of its keys."""
    settled = {key: value for key, value in config.items() if (key, value) != ("probe", None)}
    later = {("negatives", "uniform"), ("test_limit", None)}
    settled["task"] = {key: value for key, value in config["task"].items() if (key, value) not in later}
    document = json.dumps({"config": settled, "inputs": inputs}, sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Run:
    """A finished run on disk."""

    folder: Path
    config: RunConfig
    record: RunRecord

    @property
    def machine(self) -> str:
        """What it was computed on: the GPU, or the processor and its threads."""
        hardware = self.record.hardware
        gpu = hardware.get("gpu") if self.config.device.startswith("cuda") else None
        return str(gpu or f"{hardware.get('processor', 'unknown')}, {hardware.get('threads', '?')} threads")

    def outcomes(self) -> Outcomes:
        """Outcomes of the test queries, in evaluation order."""
        return outcome_file.read(self.folder / "outcomes.parquet")

    def lists(self, part: str) -> Ids:
        """The retrieved items of ``validation`` or ``test``, best first, shape [user, candidate]."""
        column = pq.read_table(self.folder / LISTS, columns=[part])[part].combine_chunks()
        flat: Ids = column.flatten().to_numpy().astype(np.int32)
        return flat.reshape(len(column), -1)

    def validation(self) -> Outcomes:
        """Outcomes of the validation queries."""
        return outcome_file.read(self.folder / VALIDATION)

    def weights(self) -> dict[str, Tensor]:
        """The fitted weights; none where the system keeps none.

        Raises:
            InputError: they were left out of this copy.
        """
        path = self.folder / WEIGHTS
        if WEIGHTS in self.record.files and not path.exists():
            raise InputError(f"{path}: was left out of this copy; delete the folder and run again")
        return load_file(path) if path.exists() else {}


def write_lists(validation: Ids, test: Ids, path: Path) -> None:
    """Keep each user's retrieved items of both parts as the smallest unsigned integers that hold the ids."""
    width = pa.uint16() if max(validation.max(), test.max()) < 2**16 else pa.uint32()
    columns = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(lists.ravel(), width), lists.shape[1])
        for name, lists in zip(PARTS, (validation, test), strict=True)
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def folder_name(config: RunConfig, run: str) -> str:
    """A name that a person can read, ending in the run's identity."""
    probe = f"-{config.probe.replace(':', '-')}" if config.probe else ""
    return f"{config.system}-{Path(config.dataset).name[:60]}-{config.profile}-seed{config.seed}{probe}-{run}"


def write(runs: Path, config: RunConfig, run: str, fill: Callable[[Path], RunRecord]) -> Run:
    """Make a run folder under a temporary name, sync it, and rename it into place.

    One process at a time may write a run; what a killed one left is removed.

    Args:
        runs: the folder of all runs.
        config: the run's resolved config.
        run: its identity.
        fill: writes the run's files into a folder and returns its record, still without their digests.

    Returns:
        The finished run.

    Raises:
        WorkError: the record holds what it must not.
    """
    target = runs / folder_name(config, run)
    temporary = runs / f".{run}.unfinished"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        record = fill(temporary)
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        (temporary / "config.yaml").write_text(text, encoding="utf-8")
        files = {path.name: sha256_of(path) for path in sorted(temporary.iterdir())}
        document = record.model_copy(update={"files": files}).sealed().model_dump_json(indent=2)
        (temporary / RECORD).write_text(document + "\n", encoding="utf-8")
        for path in [*temporary.iterdir(), temporary]:
            sync(path)
        temporary.rename(target)
        sync(runs)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, ValidationError):
            raise WorkError(f"the record of {config.system} cannot be kept: {one_line(error)}") from None
        raise
    return open_run(target)


def open_run(folder: Path) -> Run:
    """Read a run folder, or a copy that leaves files out, and check its files against the digests in ``run.json``.

    Raises:
        InputError: the folder is no finished run, or was changed after it was written.
    """
    try:
        record = RunRecord.read(
            folder / RECORD, "the record of a run", "move the folder away, or delete it and run again"
        )
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"{folder}: no {RECORD}; expected the folder of a finished run") from None
    present = {path.name for path in folder.iterdir() if not path.name.startswith(".")} - {RECORD}
    for name in sorted(present - record.files.keys()):
        raise InputError(f"{folder / name}: was added after the run was finished; move it away")
    for name in EVIDENCE:
        _expect(folder / name)
    for name, digest in record.files.items():
        if name in present and not ((path := folder / name).is_file() and sha256_of(path) == digest):
            raise InputError(f"{folder / name}: changed after the run was finished; {RESTORE}")
    return Run(folder, _config(folder / "config.yaml"), record)


def _config(path: Path) -> RunConfig:
    try:
        return RunConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, UnicodeDecodeError, yaml.YAMLError) as error:
        wrong = one_line(error) if isinstance(error, ValidationError) else " ".join(str(error).split())
        raise InputError(f"{path}: not the config of a run of this harness ({wrong}); move the folder away") from None


def _expect(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: is missing since the run was finished; {RESTORE}")


def keep(run: Run, folder: Path, *more: str) -> Path:
    """Copy what backs a run's numbers, and ``more`` of its files, into a folder of that name inside ``folder``.

    Returns:
        The copy. More files of the same run that it held stay; another run's folder of that name is replaced.

    Raises:
        InputError: the run itself is a copy that lacks one of those files.
    """
    target = folder / run.folder.name
    if target.resolve() == run.folder.resolve():
        return target
    for name in more:
        _expect(run.folder / name)
    if not _is_copy(target, run):
        shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    for name in (*EVIDENCE, *more, RECORD):
        copy_whole(run.folder / name, target / name)
    return target


def _is_copy(folder: Path, run: Run) -> bool:
    """Whether a folder has the run's own record."""
    record = folder / RECORD
    return record.is_file() and record.read_bytes() == (run.folder / RECORD).read_bytes()


def find(runs: Path, run: str) -> Run | None:
    """The finished run of that identity, whole and verified, or None.

    Raises:
        InputError: the folder of that name holds another run, or lacks files of it.
    """
    for folder in runs.iterdir() if runs.is_dir() else ():
        if folder.name.rpartition("-")[2] == run and run:
            found = open_run(folder)
            if found.record.run != run:
                raise InputError(f"{folder}: holds run {found.record.run}; delete the folder and run again")
            for name in sorted(found.record.files):
                _expect(folder / name)
            return found
    return None


def of_inputs(runs: Path, config: RunConfig, inputs: dict[str, str]) -> Iterator[Run]:
    """The finished runs of a config's system, data set, profile and seed that read inputs of these digests.

    Their configs may lack keys that there were not when they ran; their identities were drawn without these.

    Raises:
        InputError: one of them was changed.
    """
    for folder in sorted(runs.glob(f"{escape(folder_name(config, ''))}*/")):
        run = open_run(folder)
        if run.record.run == _identity(run.config.model_dump(mode="json", exclude_unset=True), inputs):
            yield run


def with_retriever(runs: Path, run: str) -> list[Run]:
    """The finished run of that identity and, for a re-ranker, its retriever's run after it."""
    found = find(runs, run)
    if found is None:
        return []
    return [found, *(with_retriever(runs, found.config.retriever.run) if found.config.retriever else [])]


def all_runs(runs: Path, *, probed: bool = False) -> list[Run]:
    """Every finished run under a folder, at any depth, by folder name; of copies of one the fullest.

    Args:
        runs: the folder.
        probed: with those of probes and of a limited test, which stand in no table or choice of a configuration.

    Raises:
        InputError: there is no such folder, a run in it was changed, or two of one identity are not copies.
    """
    if not runs.is_dir():
        raise InputError(f"{runs}: no such folder; expected a folder of finished runs")
    found: dict[str, Run] = {}
    for path in below(runs, RECORD):
        run = open_run(path.parent)
        other = found.setdefault(run.record.run, run)
        if other.record.seal != run.record.seal:
            raise InputError(f"{run.folder}: made apart from {other.folder} in one configuration; leave one of them")
        if len(list(run.folder.iterdir())) > len(list(other.folder.iterdir())):
            found[run.record.run] = run
    return [run for run in found.values() if probed or run.config.stands_in_tables()]
