"""What both sides are asked: the sizes that they share, how long they may take, and the data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.dataset import Dataset, Sequences
from harness.errors import InputError
from harness.seeds import rng
from harness.training import MAX_GRADIENT_NORM

Job = dict[str, Any]

SEED = 1
TRAINED = "ml-100k"  # RecBole's own example set
SIZES: Job = {
    "length": 50,
    "width": 64,
    "blocks": 2,
    "heads": 2,
    "dropout": 0.2,
    "batch": 256,
    "learning_rate": 1e-3,
    "max_gradient_norm": MAX_GRADIENT_NORM,
    "mask": 0.2,
    "mask_last": 1 / 11,
    "seed": SEED,
}
BEAUTY_USERS, BEAUTY_ITEMS = 22_332, 12_086
BEAUTY_SHORTEST, BEAUTY_MEAN = 5, 198_215 / 22_332  # items a user


@dataclass(frozen=True)
class Plan:
    """How much to measure.

    Attributes:
        train_s: seconds for which RecBole trains each system; the harness gets as many at most.
        points: validations in that time.
        ranked_users: users of the set of Beauty's size.
    """

    train_s: float
    points: int
    ranked_users: int


PLANS = {"smoke": Plan(10, 2, 2_000), "cpu": Plan(150, 10, BEAUTY_USERS)}


def plan(profile: str) -> Plan:
    """The plan of a profile.

    Raises:
        InputError: there is none.
    """
    if profile not in PLANS:
        raise InputError(f"LLMREC_PROFILE={profile}: this benchmark has {', '.join(PLANS)}")
    return PLANS[profile]


def beauty_sized(users: int) -> Dataset:
    """Random sequences over Beauty's catalogue, of its mean length; every item occurs, all about equally often."""
    generator = rng(SEED, "beauty-sized", users)
    lengths = BEAUTY_SHORTEST - 1 + generator.geometric(1 / (BEAUTY_MEAN - BEAUTY_SHORTEST + 1), users)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = generator.permutation(np.resize(np.arange(1, BEAUTY_ITEMS + 1, dtype=np.int32), offsets[-1]))
    item_names, user_names = (("", *map(str, range(1, count + 1))) for count in (BEAUTY_ITEMS, users))
    return Dataset("beauty-sized", Sequences(items, offsets), None, item_names, item_names, user_names, ())


def write_atomic(dataset: Dataset, folder: Path) -> str:
    """Write the interactions as one of RecBole's atomic files; a user's order becomes the time.

    Args:
        dataset: what to write, under the harness's dense ids.
        folder: takes a folder of the set's name.

    Returns:
        The name by which RecBole finds the set there. It is none of those that RecBole replaces by files of its own.
    """
    name = f"from-harness-{dataset.name}"
    (folder / name).mkdir()
    with (folder / name / f"{name}.inter").open("w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for user, items in enumerate(dataset.sequences, start=1):
            file.writelines(f"{user}\t{item}\t{time}\n" for time, item in enumerate(items))
    return name
