"""detectron2's YAML configurations.

Source: detectron2 02b5c4e2 config/defaults.py, solver/build.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.bases import with_bases
from decaycalc.training.reading.classes import find_class
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, unknown_optimizer
from decaycalc.training.reading.schedules import AT_THE_END, Options, compose, of_lr
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Derive, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers.syntax.tree import Scalar


def _optimizer(settings: Settings) -> Optimizer:
    """Return SGD, or the class that a project's own builder reads from SOLVER.OPTIMIZER."""
    name = settings.text("optimizer") or "SGD"
    if name.upper() == "SGD":
        return Optimizer(convention="detectron2", uses=UNDAMPENED_SGD)
    found = find_class(name)
    if found is None:
        return unknown_optimizer(name, setting="SOLVER.OPTIMIZER")
    made = found.optimizer()
    note = (
        "SOLVER.OPTIMIZER is a project's own: detectron2 itself has SGD alone, and what decays may"
        " be the project's too"
    )
    return replace(made, note=note)


def _scale(settings: Settings) -> Fraction:
    """Return the workers that are given over those that the file is meant for."""
    if "world_size" not in settings.given:
        return Fraction(1)
    reference = settings.number("reference_world_size")
    return (settings.number("world_size") or Fraction(1)) / reference if reference else Fraction(1)


def _scaled(name: str, path: str, *, inverse: bool = False) -> Derive:
    """Return what scales a setting to the workers that are given, where the file asks for that.

    Source: detectron2 02b5c4e2 engine/defaults.py, auto_scale_workers.
    """

    def overrule(settings: Settings) -> Sourced | None:
        scale = _scale(settings)
        if scale == 1:
            return None
        found = settings.read(name, path)
        field = settings.trainer.field(name)
        default = "" if field is None else field.default or ""
        number = typed_number(default if found is None else found.value or "")
        if number is None:
            return None
        value = Fraction(round(number / scale)) if inverse else number * scale
        sign = "/" if inverse else "·"
        return derived(name, decimal_text(value), f"{path} {sign} W/REFERENCE_WORLD_SIZE")

    return overrule


def _boundaries(settings: Settings) -> str | None:
    """Return the steps at which lr falls, those beyond the run left out."""
    last, scale = settings.number("steps"), _scale(settings)
    found = [round(step / scale) for step in numbers_of(settings.text("boundaries") or "")]
    kept = [str(step) for step in found if last is None or step <= last]
    return "/".join(kept) or None


def _warmup(settings: Settings) -> Options:
    length = round((settings.number("warmup_iters") or Fraction(0)) / _scale(settings))
    if not length:
        return {}
    method = settings.word("warmup_method")
    start = settings.number("warmup_factor") or None
    power = AT_THE_END if method == "constant" else None
    return {"warmup": length, "start": start, "warmup_power": power}


def find_schedule(settings: Settings) -> str | None:
    """Return the schedule, None where it has no form here."""
    if settings.word("warmup_method") not in {"linear", "constant"}:
        return None
    name, warm = settings.word("scheduler"), _warmup(settings)
    if name == "warmupmultisteplr":
        at = _boundaries(settings)
        if at is None:
            return compose("constant", **warm)
        return compose("step", at=at, gamma=settings.number("gamma"), **warm)
    if name == "warmupcosinelr":
        final = of_lr(settings, "base_lr_end")
        over = "run" if warm and not settings.flag("rescale_interval") else None
        return compose("cosine", final=final, over=over, **warm)
    return _poly(settings, warm) if name == "warmuppolylr" else None


def _poly(settings: Settings, warm: Options) -> str:
    """Source: detectron2 02b5c4e2 projects/DeepLab/deeplab/lr_scheduler.py; Mask2Former has it."""
    power, floor = settings.number("poly_power"), settings.number("poly_ending") or None
    course = {"over": "run", "toward": "product"} if warm else {}
    return compose("polynomial", power=power, floor=floor, **course, **warm)


def _exempt(settings: Settings) -> Exemption:
    norms, biases, own = (settings.number(f"weight_decay{word}") for word in ("_norm", "_bias", ""))
    parts = [] if norms else ["norms"]
    parts += ["biases"] if biases == 0 else []
    return of_kinds(
        *parts,
        switch="SOLVER.WEIGHT_DECAY_NORM, SOLVER.WEIGHT_DECAY_BIAS",
        whole={norms, biases} <= {own, 0, None},
    )


def groups(settings: Settings) -> tuple[Group, ...]:
    """Return what has an lr or a decay of its own: norms, biases, and in projects the backbone.

    Source: detectron2 02b5c4e2 solver/build.py, get_default_optimizer_params; Mask2Former 9b0651c6
    train_net.py, build_optimizer.
    """
    own, norms, biases = (settings.number(f"weight_decay{word}") for word in ("", "_norm", "_bias"))
    factor, backbone = settings.number("bias_lr_factor"), settings.number("backbone_multiplier")
    made = []
    if norms and norms != own:
        made.append(Group(name="norms", selector="norms", weight_decay=decimal_text(norms)))
    if factor != 1 or (biases and biases != own):
        decay = None if biases is None else decimal_text(biases)
        made.append(
            Group(name="biases", selector="biases", weight_decay=decay,
                  lr_mult=decimal_text(factor or Fraction(0)))
        )  # fmt: skip
    if backbone is not None and backbone != 1:
        mult = decimal_text(backbone)
        made.append(Group(name="backbone", selector="names with backbone", lr_mult=mult))
    return tuple(made)


def _finish(settings: Settings, made: Training) -> Training:
    made = made.with_groups(*groups(settings))
    node = settings.node("_BASE_")
    name = node.text if isinstance(node, Scalar) else None
    if not name or settings.document.neighbour(name) is not None:
        return made
    note = f"_BASE_ {name[:80]!r} is not beside the file: its settings are not known"
    return made.with_notes(note)


# Other programs have the same names with other defaults: maskrcnn-benchmark, Detectron, SlowFast,
# FastReID, and what was made from reid-strong-baseline.
_OF_OTHERS = (
    "MODEL.WEIGHT", "MODEL.BACKBONE.CONV_BODY", "MODEL.RPN.USE_FPN",
    "MODEL.ROI_BOX_HEAD.FEATURE_EXTRACTOR", "SOLVER.LR_POLICY", "SOLVER.MAX_EPOCH",
    "SOLVER.MAX_EPOCHS", "SOLVER.EPOCHS", "SOLVER.NUM_EPOCHS", "SOLVER.MAX_NUM_EPOCHS",
    "SOLVER.OPTIMIZING_METHOD", "SOLVER.OPTIMIZER_NAME", "SOLVER.OPT", "SOLVER.SCHED",
    "SOLVER.SCHEDULER", "SOLVER.LR_STEPS", "SOLVER.MILESTONES", "SOLVER.WARMUP_EPOCHS",
    "SOLVER.WARM_UP_ITERS",
)  # fmt: skip


TRAINER = Trainer(
    kind="detectron2",
    title="detectron2",
    version="detectron2 02b5c4e2",
    signatures=(
        Signature(any_of=("SOLVER.BASE_LR", "SOLVER.MAX_ITER", "SOLVER.IMS_PER_BATCH",
                          "SOLVER.STEPS", "SOLVER.WEIGHT_DECAY"), at_least=2,
                  none_of=_OF_OTHERS),
        Signature(all_of=("_BASE_",), any_of=("SOLVER.BASE_LR", "SOLVER.MAX_ITER",
                                              "SOLVER.STEPS", "SOLVER.IMS_PER_BATCH"),
                  none_of=_OF_OTHERS),
    ),
    fields=(
        Field(name="optimizer", paths=("SOLVER.OPTIMIZER",)),
        Field(name="weight_decay", paths=("SOLVER.WEIGHT_DECAY",), default="1e-4"),
        Field(name="lr", paths=("SOLVER.BASE_LR",), default="0.001",
              overrule=_scaled("lr", "SOLVER.BASE_LR")),
        Field(name="momentum", paths=("SOLVER.MOMENTUM",), default="0.9"),
        Field(name="nesterov", paths=("SOLVER.NESTEROV",), default="false"),
        Field(name="batch_size", paths=("SOLVER.IMS_PER_BATCH",), default="16",
              overrule=_scaled("batch_size", "SOLVER.IMS_PER_BATCH")),
        Field(name="reference_world_size", paths=("SOLVER.REFERENCE_WORLD_SIZE",), default="0"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("SOLVER.MAX_ITER",), default="40000",
              overrule=_scaled("steps", "SOLVER.MAX_ITER", inverse=True)),
        Field(name="scheduler", paths=("SOLVER.LR_SCHEDULER_NAME",), default="WarmupMultiStepLR"),
        Field(name="boundaries", paths=("SOLVER.STEPS",), default="(30000,)"),
        Field(name="gamma", paths=("SOLVER.GAMMA",), default="0.1"),
        Field(name="base_lr_end", paths=("SOLVER.BASE_LR_END",), default="0"),
        Field(name="warmup_iters", paths=("SOLVER.WARMUP_ITERS",), default="1000"),
        Field(name="warmup_factor", paths=("SOLVER.WARMUP_FACTOR",), default="0.001"),
        Field(name="warmup_method", paths=("SOLVER.WARMUP_METHOD",), default="linear"),
        Field(name="weight_decay_norm", paths=("SOLVER.WEIGHT_DECAY_NORM",), default="0"),
        Field(name="weight_decay_bias", paths=("SOLVER.WEIGHT_DECAY_BIAS",)),
        Field(name="bias_lr_factor", paths=("SOLVER.BIAS_LR_FACTOR",), default="1"),
        Field(name="backbone_multiplier", paths=("SOLVER.BACKBONE_MULTIPLIER",)),
        Field(name="rescale_interval", paths=("SOLVER.RESCALE_INTERVAL",), default="false"),
        Field(name="poly_power", paths=("SOLVER.POLY_LR_POWER",), default="0.9"),
        Field(name="poly_ending", paths=("SOLVER.POLY_LR_CONSTANT_ENDING",), default="0"),
    ),
    optimizer=_optimizer,
    schedule=find_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),
    harmless=("SOLVER.CHECKPOINT_PERIOD", "SOLVER.CLIP_GRADIENTS*", "SOLVER.AMP*", "MODEL*",
              "DATASETS*", "INPUT*", "TEST*", "DATALOADER*", "VERSION", "_BASE_"),
    prepare=with_bases,
    finish=_finish,
)  # fmt: skip
