"""RecBole's half of the comparison, for the Python of an environment that has RecBole and not what the harness needs.

One job (``benchmarks.peers.jobs``) as JSON on standard input, its result as the last line of output. Of the harness it
imports ``harness.peak_memory`` alone.
``recbole.quick_start`` is not imported: it alone needs ``ray``. No checkpoint is read back, so nothing is unpickled.
"""

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from harness import peak_memory

MODELS = {"sasrec": "SASRec", "bert4rec": "BERT4Rec", "narm": "NARM"}


def settings(job: dict[str, Any], checkpoints: str) -> dict[str, Any]:
    """The job in RecBole's words: full ranking, leave-one-out, cross-entropy over all items."""
    return {
        "data_path": job["folder"],
        "checkpoint_dir": checkpoints,
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {"split": {"LS": "valid_and_test"}, "group_by": "user", "order": "TO", "mode": "full"},
        "MAX_ITEM_LIST_LENGTH": job["length"],
        "n_layers": 1 if job["system"] == "narm" else job["blocks"],
        "n_heads": job["heads"],
        "hidden_size": job["width"],
        "embedding_size": job["width"],
        "inner_size": job["width"] * (1 if job["system"] == "sasrec" else 4),
        "hidden_act": "relu" if job["system"] == "sasrec" else "gelu",
        "hidden_dropout_prob": job["dropout"],
        "attn_dropout_prob": job["dropout"],
        "dropout_probs": [job["dropout"], job["dropout"]],
        "mask_ratio": job["mask"],
        "ft_ratio": job["mask_last"],
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "train_batch_size": job["batch"],
        "learning_rate": job["learning_rate"],
        "weight_decay": 0.0,
        "clip_grad_norm": {"max_norm": job["max_gradient_norm"]},
        "eval_batch_size": job["evaluation_batch"],
        "metrics": ["Recall", "MRR", "NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "metric_decimal_place": 9,
        "use_gpu": False,
        "show_progress": False,
        "seed": job["seed"],
    }


def target_count(interaction: Mapping[str, torch.Tensor]) -> int:
    """How many targets a batch's loss has: the masked positions that count where there are any, else one a row."""
    if "MASK_INDEX" in interaction:
        return int((interaction["MASK_INDEX"] > 0).sum())
    return len(interaction["item_id"])


def for_seconds(batches: Iterator[Any], seconds: float) -> Iterator[Any]:
    """Batches until so much time has passed."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        yield next(batches)


def prepare(job: dict[str, Any], checkpoints: str) -> tuple[Any, Any, Any]:
    """RecBole's trainer, training batches and validation batches."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    config = Config(MODELS[job["system"]], job["dataset"], config_dict=settings(job, checkpoints))
    init_seed(config["seed"], config["reproducibility"])
    train, validation, _ = data_preparation(config, create_dataset(config))
    model = get_model(config["model"])(config, train.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    trainer.eval_collector.data_collect(train)
    return trainer, train, validation


def sizes(loader: Any) -> dict[str, int]:
    """Users and items that RecBole read, without its padding."""
    return {"users": loader.dataset.user_num - 1, "items": loader.dataset.item_num - 1}


def training(job: dict[str, Any], checkpoints: str) -> dict[str, Any]:
    """Train for ``job["train_s"]``, validating ``job["points"]`` times; the clock stands during validation."""
    trainer, train, validation = prepare(job, checkpoints)
    batches = itertools.chain.from_iterable(itertools.repeat(train))
    total = {"steps": 0, "targets": 0, "train_s": 0.0}

    def counted_loss(interaction: Any) -> torch.Tensor:
        total["steps"] += 1
        total["targets"] += target_count(interaction)
        return trainer.model.calculate_loss(interaction)

    curve = []
    for point in range(job["points"]):
        started = time.perf_counter()
        trainer._train_epoch(for_seconds(batches, job["train_s"] / job["points"]), point, counted_loss)
        trained = time.perf_counter()
        ndcg = trainer.evaluate(validation, load_best_model=False)["ndcg@10"]
        total["train_s"] += trained - started
        curve.append({**total, "evaluate_s": time.perf_counter() - trained, "ndcg": float(ndcg)})
    return {"curve": curve, "epoch_steps": len(train), **sizes(train)}


def ranking(job: dict[str, Any], checkpoints: str) -> dict[str, Any]:
    """Rank every user's validation target with an untrained model: memory the first time, time the second."""
    trainer, train, validation = prepare(job, checkpoints)

    def rank() -> None:
        trainer.evaluate(validation, load_best_model=False)

    peak_bytes = peak_memory.added_bytes(rank, torch.device("cpu"))
    started = time.perf_counter()
    rank()
    return {"evaluate_s": time.perf_counter() - started, "peak_bytes": peak_bytes, **sizes(train)}


def main() -> None:
    """One job in, one line of JSON out."""
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    with tempfile.TemporaryDirectory() as checkpoints:
        result = {"training": training, "ranking": ranking}[job["measure"]](job, checkpoints)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
