"""Options that several verbs share, and how their texts are read."""

import json
from pathlib import Path
from typing import Annotated, get_args

import typer

from harness.config import Probe
from harness.errors import InputError

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="State folder; else LLMREC_HOME, else the platform's cache.")
]
MirrorOption = Annotated[Path | None, typer.Option("--mirror", help="Folder to take files from; else LLMREC_MIRROR.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
DeviceOption = Annotated[str | None, typer.Option("--device", help="cpu or cuda; the GPU where there is one.")]
ProfileOption = Annotated[str, typer.Option("--profile", help="How much of the paper to spend.")]
ProbeOption = Annotated[
    str | None, typer.Option("--probe", metavar="NAME", help=f"Change one thing: {', '.join(get_args(Probe))}.")
]
EstimatorOption = Annotated[
    str | None,
    typer.Option(
        "--estimator", help="Of what is shown: exact, batch-mean:N, target-first, tie-mean; else the column's."
    ),
]
BackboneOption = Annotated[str | None, typer.Option("--backbone", help="Catalogue name, hub id or folder.")]
RunsOption = Annotated[Path | None, typer.Option("--runs", help="Folder of runs; the state folder's, where left out.")]
Targets = Annotated[list[str] | None, typer.Argument(metavar="[PAPER[:TABLE]]...")]


def named(text: str | None, option: str) -> list[str] | None:
    """A comma-separated option as a list; None where it was left out.

    Raises:
        InputError: nothing was named.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise InputError(f"{option} {text!r}: names nothing; expected NAME,..., or leave it out for the default")
    return parts


def parse_search(assignments: list[str]) -> dict[str, tuple[float, ...]]:
    """``key=value,value,...`` of the command line: the numbers among which each setting is chosen, in their order.

    Raises:
        InputError: no key, or something else than two different numbers or more.
    """
    values: dict[str, tuple[float, ...]] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        wrong = InputError(f"--search {assignment}: expected KEY=NUMBER,NUMBER,..., two of them or more, each once")
        if not (key and equals):
            raise wrong
        if key in values:
            raise InputError(f"--search {key}: is given twice; put all its values into one")
        try:
            numbers = [json.loads(part) for part in text.split(",")]
        except ValueError:
            raise wrong from None
        if any(type(number) not in (int, float) for number in numbers) or not 2 <= len(numbers) == len(set(numbers)):
            raise wrong
        values[key] = tuple(numbers)
    return values


def parse_seeds(text: str) -> list[int]:
    """``42,43`` as numbers, each once.

    Raises:
        InputError: something else than whole numbers from 0.
    """
    parts = named(text, "--seeds") or []
    if not all(part.isdecimal() for part in parts):
        raise InputError(f"--seeds {text!r}: expected whole numbers from 0, e.g. 42,43,44")
    return list(dict.fromkeys(int(part) for part in parts))
