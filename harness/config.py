"""The resolved configuration of a run: complete, typed, and refusing keys it does not know."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Exclude = Literal["window", "history", "none"]
Negatives = Literal["uniform", "popularity"]
SameTime = Literal["item", "item-reversed", "shuffled"]
RELEASED = "released"  # the setting ``adapter`` of who takes what the checkout keeps
TASK_PREFIX = "task."  # of a key that is the task's, where settings of both stand together
Profile = Literal["smoke", "cpu", "gpu", "paper"]
Probe = Literal[
    "order:retriever",
    "order:reversed",
    "order:shuffled",
    "order:target-last",
    "permute-ids",
    "label-blind",
    "ceiling",
]


class Strict(BaseModel):
    """A frozen model in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Settings(Strict):
    """A system's own configuration; every number in it is finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class TaskConfig(Strict):
    """What is asked and how an answer is judged.

    Attributes:
        name: the task.
        window: how many of the most recent history items a query holds.
        exclude: which items ``next-item`` may not recommend: those in the ``window``, in the whole ``history``, or
            ``none``.
        candidates: how many retrieved items a re-ranker orders, and how many a retriever's run keeps; of the task
            ``candidates``, how many negatives stand beside the target.
        negatives: how ``candidates`` draws them (``harness.tasks.negatives``).
        same_time: order of a user's interactions with one timestamp: by ``item``, ``item-reversed`` or ``shuffled``.
        test_limit: test queries that a re-ranker is asked, a sample drawn from the seed of those that it would be; it
            answers for these alone, and stands in no table. Of ``candidates`` every system and seed is asked about the
            same users, at equal distances among all, and tables are of these. None: all.
    """

    name: Literal["next-item", "candidates"] = "next-item"
    window: int = Field(50, ge=1)
    exclude: Exclude = "window"
    candidates: int = Field(20, ge=1)
    negatives: Negatives = "uniform"
    same_time: SameTime = "item"
    test_limit: int | None = Field(None, ge=1)

    def whole(self) -> "TaskConfig":
        """The task with all its test queries."""
        return self.model_copy(update={"test_limit": None})


class Retriever(Strict):
    """The finished run whose lists a re-ranker orders."""

    system: str
    run: str


class RunConfig(Strict):
    """Everything that decides a run's outcomes, except the bytes of its inputs.

    Attributes:
        settings: the system's own configuration, complete, as its config class dumps it.
        probe: what is changed on purpose (``harness.probes``); a probed run stands for no system, and in no table but
            one of variants.
    """

    system: str
    dataset: str
    task: TaskConfig
    profile: Profile
    seed: int = Field(ge=0)
    device: str
    settings: dict[str, Any]
    retriever: Retriever | None = None
    probe: Probe | None = None

    def stands_in_tables(self) -> bool:
        """Whether its outcomes are the system's on all test queries, or on those that all systems answer, unchanged."""
        return self.probe is None and (self.task.test_limit is None or self.task.name == "candidates")


def one_line(error: Exception) -> str:
    """An error's first complaint in one line, naming the key where there is one."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "document"
        return f"{key}: {first['msg'].removeprefix('Value error, ')}"
    return " ".join(str(error).split())
