"""maskrcnn-benchmark's YAML, and FCOS' that was made from it: detectron2's names before it.

Source: maskrcnn-benchmark 57eec25 maskrcnn_benchmark/config/defaults.py, solver/build.py,
solver/lr_scheduler.py; FCOS a773f12.
"""

from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption
from decaycalc.training.trainers import detectron2

_SOLVER = ("SOLVER.BASE_LR", "SOLVER.MAX_ITER", "SOLVER.IMS_PER_BATCH", "SOLVER.STEPS",
           "SOLVER.WEIGHT_DECAY")  # fmt: skip
# What was made from it and trains otherwise: GLIP's optimizers and epochs, the lr that
# Scene-Graph-Benchmark multiplies by the batch, NVIDIA's accumulation; and Detectron before it.
_OF_OTHERS = (
    "SOLVER.OPTIMIZER", "SOLVER.MAX_EPOCH", "SOLVER.USE_COSINE", "SOLVER.USE_AUTOSTEP",
    "SOLVER.SCHEDULE", "MODEL.RELATION_ON", "SOLVER.ACCUMULATE_GRAD", "SOLVER.LR_POLICY",
)  # fmt: skip

_FIELDS = (
    ("weight_decay", "WEIGHT_DECAY", "0.0005"),
    ("lr", "BASE_LR", "0.001"),
    ("momentum", "MOMENTUM", "0.9"),
    ("batch_size", "IMS_PER_BATCH", "16"),
    ("steps", "MAX_ITER", "40000"),
    ("boundaries", "STEPS", "(30000,)"),
    ("gamma", "GAMMA", "0.1"),
    ("warmup_iters", "WARMUP_ITERS", "500"),
    ("warmup_factor", "WARMUP_FACTOR", "1/3"),
    ("warmup_method", "WARMUP_METHOD", "linear"),
    ("weight_decay_bias", "WEIGHT_DECAY_BIAS", "0"),
    ("bias_lr_factor", "BIAS_LR_FACTOR", "2"),
)


def _exempt(settings: Settings) -> Exemption:
    """Return the biases of all layers, a norm's too, where they are given no decay."""
    parts = () if settings.number("weight_decay_bias") else ("biases",)
    return of_kinds(*parts, switch="SOLVER.WEIGHT_DECAY_BIAS")


TRAINER = Trainer(
    kind="maskrcnn-benchmark",
    title="maskrcnn-benchmark",
    version="maskrcnn-benchmark 57eec25",
    signatures=tuple(
        Signature(all_of=(own,), any_of=_SOLVER, at_least=2, none_of=_OF_OTHERS)
        for own in ("MODEL.WEIGHT", "MODEL.BACKBONE.CONV_BODY")
    ),
    fields=(
        *(
            Field(name=name, paths=(f"SOLVER.{own}",), default=default)
            for name, own, default in _FIELDS
        ),
        *Field.fixed(nesterov="false", scheduler="WarmupMultiStepLR"),
    ),
    optimizer=lambda _: Optimizer(convention="pytorch-sgd", uses=UNDAMPENED_SGD),
    schedule=detectron2.find_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),
    harmless=("SOLVER.CHECKPOINT_PERIOD", "SOLVER.TEST_PERIOD", "MODEL*", "DATASETS*", "INPUT*",
              "TEST*", "DATALOADER*"),
    finish=lambda settings, made: made.with_groups(*detectron2.groups(settings)),
)  # fmt: skip
