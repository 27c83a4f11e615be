"""What trainers call the options: a flag of theirs is answered with ours."""

_BATCH = "--batch-size (-B), the examples per device and micro-batch"
_VALUE = "VALUE, the first argument: decaycalc convert 0.01 --from KEY"
_SCHEDULE = "--schedule, as cosine:warmup=5%,final=0.1"
_BETAS = "--betas B1 B2 (of 'decaycalc transfer')"
_ACCUMULATION = "--grad-accum"
_WORKERS = "--world-size"
_LENGTH = "--steps"
# By the flag in lower case, underscores as hyphens.
_OURS = {
    "accumulate": _ACCUMULATION,
    "accumulate-grad-batches": _ACCUMULATION,
    "accumulation-steps": _ACCUMULATION,
    "adam-beta1": _BETAS,
    "adam-beta2": _BETAS,
    "adam-epsilon": "--eps",
    "alpha": _VALUE,
    "b": _BATCH,
    "base-lr": "--lr",
    "batch": _BATCH,
    "batch-size-per-device": _BATCH,
    "batch-size-per-gpu": _BATCH,
    "beta1": _BETAS,
    "beta2": _BETAS,
    "betas": _BETAS,
    "bf16": "--dtype bfloat16",
    "bs": _BATCH,
    "c": _VALUE,
    "csv": "--format csv",
    "decay": _VALUE,
    "devices": _WORKERS,
    "epsilon": "--eps",
    "fp16": "--dtype float16",
    "global-batch-size": "--batch-size (-B, with --grad-accum and --world-size left at 1)",
    "gpus": _WORKERS,
    "gradient-accumulation-steps": _ACCUMULATION,
    "iterations": _LENGTH,
    "l2": _VALUE,
    "l2-reg": _VALUE,
    "lambda": _VALUE,
    "jsonl": "--format jsonl",
    "learning-rate": "--lr",
    "lr-decay-style": _SCHEDULE,
    "lr-scheduler": _SCHEDULE,
    "lr-scheduler-type": _SCHEDULE,
    "markdown": "--format md",
    "max-epochs": "--epochs",
    "max-iter": _LENGTH,
    "max-iters": _LENGTH,
    "max-lr": "--lr, the peak",
    "max-steps": _LENGTH,
    "max-train-steps": _LENGTH,
    "micro-batch-size": _BATCH,
    "min-lr": "--schedule cosine:final=..., lr's end over its peak",
    "md": "--format md",
    "model": "--arch",
    "n": "--dataset-size (-N)",
    "n-gpus": _WORKERS,
    "nproc-per-node": _WORKERS,
    "num-classes": "--classes",
    "num-epochs": "--epochs",
    "num-gpus": _WORKERS,
    "num-nodes": _WORKERS,
    "num-processes": _WORKERS,
    "num-samples": "--dataset-size (-N)",
    "num-train-epochs": "--epochs",
    "num-train-steps": _LENGTH,
    "opt": "--from, the optimizer's convention",
    "optim": "--from, the optimizer's convention",
    "optimizer-type": "--from, the optimizer's convention",
    "per-device-batch-size": _BATCH,
    "per-device-train-batch-size": _BATCH,
    "per-gpu-train-batch-size": _BATCH,
    "precision": "--dtype",
    "regularization": _VALUE,
    "source": "--from KEY",
    "table": "--format table",
    "target": "--to KEY",
    "sched": _SCHEDULE,
    "scheduler": _SCHEDULE,
    "total-batch-size": "--batch-size (-B, with --grad-accum and --world-size left at 1)",
    "total-iterations": _LENGTH,
    "train-batch-size": _BATCH,
    "train-iters": _LENGTH,
    "train-micro-batch-size-per-gpu": _BATCH,
    "train-samples": "--dataset-size (-N)",
    "training-steps": _LENGTH,
    "update-freq": _ACCUMULATION,
    "warmup": _SCHEDULE,
    "warmup-epochs": _SCHEDULE,
    "warmup-iters": _SCHEDULE,
    "warmup-ratio": _SCHEDULE,
    "warmup-steps": _SCHEDULE,
    "wd": _VALUE,
    "weight-decay": _VALUE,
}


def ours(flag: str) -> str:
    """Return what to give for a flag of a trainer's, empty where it is none.

    >>> ours("--per_device_train_batch_size"), ours("--nonsense")
    ('--batch-size (-B), the examples per device and micro-batch', '')
    """
    return _OURS.get(flag.lstrip("-").lower().replace("_", "-"), "")
