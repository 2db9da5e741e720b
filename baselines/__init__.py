"""Every system of the harness; importing the package registers them all."""

from baselines import (
    bert4rec,
    core,
    dien,
    din,
    gru4rec,
    llamarec,
    lrurec,
    narm,
    ncf,
    popularity,
    popularity_category,
    sasrec,
    tallrec,
    title_generator,
    trsr,
)

__all__ = [
    "bert4rec",
    "core",
    "dien",
    "din",
    "gru4rec",
    "llamarec",
    "lrurec",
    "narm",
    "ncf",
    "popularity",
    "popularity_category",
    "sasrec",
    "tallrec",
    "title_generator",
    "trsr",
]
