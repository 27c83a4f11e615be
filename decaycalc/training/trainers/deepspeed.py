"""DeepSpeed's ds_config.json.

Source: deepspeed 0.19.8 runtime/engine.py, runtime/config.py, runtime/lr_schedules.py;
transformers integrations/deepspeed.py for "auto".
"""

from fractions import Fraction

from decaycalc.errors import UnreadableFileError
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.classes import OptimizerClass, find_class
from decaycalc.training.reading.optimizers import ADAM, refused
from decaycalc.training.reading.schedules import Options, compose, of_lr, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training

_OWN = {
    "lamb": Optimizer(convention="apex-fused-lamb", uses=ADAM),
    "lion": Optimizer(convention="deepspeed-lion", uses=("beta1", "beta2")),
    "muon": Optimizer(convention="muon-keller"),
}
_REFUSED = {
    "onebitadam": "1-bit Adam compresses its steps: its decay has no scalar here",
    "zerooneadam": "0/1 Adam compresses its steps: its decay has no scalar here",
    "onebitlamb": "1-bit LAMB compresses its steps: its decay has no scalar here",
    "musgd": "mup scales lr and decay by each tensor's width",
    "muadam": "mup scales lr and decay by each tensor's width",
    "muadamw": "mup scales lr and decay by each tensor's width",
}
# A scheduler is made before its first iteration and steps after the optimizer: the first two steps
# take the lr of iteration 0.
_DELAY = 1
_LEAST_WARMUP = 2
_WITHOUT = "no optimizer section: the trainer that loads this file sets optimizer and weight decay"
_AUTO = {
    "lr": "learning_rate",
    "weight_decay": "weight_decay",
    "batch_size": "per_device_train_batch_size",
    "grad_accum": "gradient_accumulation_steps",
    "steps": "max_steps",
}


def _torch_class(settings: Settings) -> OptimizerClass | None:
    """Return torch's class where DeepSpeed takes that: torch_adam, or a name it has none for."""
    name = settings.text("optimizer") or ""
    word = name.lower()
    if word in {"adam", "adamw"}:
        if not settings.flag("torch_adam"):
            return None
        return find_class("AdamW" if settings.flag("adam_w_mode") else "Adam")
    return None if word in {*_OWN, *_REFUSED} else find_class(name)


def _optimizer(settings: Settings) -> Optimizer:
    """Return the optimizer: "Adam" is AdamW unless adam_w_mode is false.

    Source: deepspeed 0.19.8 runtime/engine.py, _configure_basic_optimizer.
    """
    if not settings.has("optimizer.type"):
        return refused(_WITHOUT)
    name = settings.text("optimizer") or ""
    word = name.lower()
    torch = _torch_class(settings)
    if torch is not None:
        return torch.optimizer()
    if word in {"adam", "adamw"}:
        key = "deepspeed-adam" if settings.flag("adam_w_mode") else "pytorch-adam"
        note = "DeepSpeed's Adam is AdamW: adam_w_mode is true" if word == "adam" else ""
        return Optimizer(convention=key, uses=ADAM, note=note if key == "deepspeed-adam" else "")
    if word in _OWN:
        return _OWN[word]
    reason = _REFUSED.get(word, f"optimizer type {name[:60]!r} has no convention here")
    return refused(reason)


def _class_default(settings: Settings) -> Sourced | None:
    """Return the weight decay of torch's class where DeepSpeed takes that."""
    torch = _torch_class(settings)
    return None if torch is None else torch.default("weight_decay")


def _peak(settings: Settings) -> Sourced | None:
    """Return the scheduler's own peak, which replaces the optimizer's lr."""
    name = settings.word("scheduler")
    if name not in {"warmuplr", "warmupdecaylr"}:
        return None
    return settings.in_file(_field("lr", "scheduler.params.warmup_max_lr"))


def _default_peak(settings: Settings) -> Sourced | None:
    """Return WarmupDecayLR's own default peak; without an optimizer, no class has a default."""
    if not settings.has("optimizer.type") and not settings.word("scheduler"):
        return left_open("lr")
    if settings.word("scheduler") != "warmupdecaylr" or "lr" in settings.given:
        return None
    return by_default("lr", "0.001", "deepspeed 0.19.8 runtime/lr_schedules.py")


def _batch(settings: Settings) -> tuple[str, ...]:
    """Return what makes up B: train_batch_size is the whole of it.

    Raises:
        UnreadableFileError: the three batch settings cannot hold together.
    """
    whole = None if "batch_size" in settings.given else settings.count("train_batch_size")
    if whole is None:
        return PER_DEVICE
    micro, accumulation = settings.count("batch_size"), settings.count("grad_accum")
    devices = settings.count("world_size") if micro and accumulation else None
    product = (micro or 1) * (accumulation or 1) * (devices or 1)
    fits = whole == product if devices else whole % product == 0
    if not fits:
        raise UnreadableFileError(
            settings.document.name,
            f"train_batch_size {whole} is not {' · '.join(map(str, _parts(settings)))}",
        )
    return ("train_batch_size",)


def _parts(settings: Settings) -> list[str]:
    names = ("batch_size", "grad_accum", "world_size")
    return [f"{name} {settings.text(name)}" for name in names if settings.text(name)]


def _devices(settings: Settings) -> Sourced | None:
    """Return the number of devices that the file's own three batch settings leave."""
    own = Settings(settings.document, settings.trainer)
    names = ("train_batch_size", "batch_size", "grad_accum")
    whole, micro, accumulation = (own.count(name) for name in names)
    if not whole or not micro or not accumulation or whole % (micro * accumulation):
        return None
    formula = "train_batch_size / (micro batch · accumulation)"
    return derived("world_size", str(whole // (micro * accumulation)), formula)


def _accumulation(settings: Settings) -> Sourced | None:
    """Leave the accumulation open where the whole batch is known: it follows from the devices."""
    return None if settings.count("train_batch_size") is None else left_open("grad_accum")


def _schedule(settings: Settings) -> str | None:
    """Source: deepspeed 0.19.8 runtime/lr_schedules.py."""
    name = settings.word("scheduler")
    if not name:
        return None
    if name == "warmuplr":
        return compose("constant", **_ramp(settings, start=_start(settings)), delay=_DELAY)
    if name == "warmupdecaylr":  # it ends where its warm-up begins
        start = _start(settings)
        return compose("linear", final=start, **_ramp(settings, start=start), delay=_DELAY)
    return _cosine(settings) if name == "warmupcosinelr" else None


def _cosine(settings: Settings) -> str:
    """Return WarmupCosineLR's text: its cosine is a step ahead, its very first step is at 0."""
    start = settings.number("warmup_min_ratio") or None
    shape = {"final": settings.number("cos_min_ratio"), **_ramp(settings, start=start)}
    if start is None:
        return compose("cosine", **shape, counts="one", toward="peak", delay=_DELAY)
    first = compose("constant", value=0, until=_DELAY)
    after = compose("cosine", **shape, counts="one", toward="peak", length=settings.count("steps"))
    return f"{first} + {after}"


def _start(settings: Settings) -> Fraction | None:
    return of_lr(settings, "warmup_min_lr")


def _ramp(settings: Settings, *, start: Fraction | None) -> Options:
    """Return the warm-up: its length, two steps at least, and its form, by default a logarithm."""
    logarithmic = settings.word("warmup_type") != "linear"
    return {
        "warmup": max(steps_of(settings, "warmup_num_steps") or 0, _LEAST_WARMUP),
        "start": start,
        "ramp": "log" if logarithmic else None,
    }


def _finish(settings: Settings, made: Training) -> Training:
    """Give the half that Muon leaves to AdamW its own lr, where no scheduler sets both."""
    lr = settings.told("optimizer.params.adam_lr")
    if settings.word("optimizer") != "muon" or not lr or _peak(settings) is not None:
        return made
    return made.with_groups(Group(name="AdamW", selector="tensors without use_muon", lr=lr))


def _field(name: str, *paths: str, default: str | None = None, **more: object) -> Field:
    """Return a field that "auto" leaves to the Trainer."""
    beside = _AUTO.get(name)
    note = f"TrainingArguments' {beside} fills it" if beside else ""
    return Field(name=name, paths=paths, default=default, open=("auto",), note=note, **more)  # type: ignore[arg-type]


_SCHEDULER = "scheduler.params"

TRAINER = Trainer(
    kind="deepspeed",
    title="DeepSpeed",
    version="deepspeed 0.19.8",
    signatures=(
        Signature(all_of=("zero_optimization",)),
        # A program's own settings may have its name beside an lr at the top.
        Signature(all_of=("train_micro_batch_size_per_gpu",), none_of=("learning_rate", "lr")),
        Signature(all_of=("train_batch_size", "optimizer.type"), none_of=("syntax:Python",)),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type",)),
        *Field.within("optimizer.params", adam_w_mode="true", torch_adam="false"),
        _field("weight_decay", "optimizer.params.weight_decay", default="0", derive=_class_default),
        # Muon's own lr stands before the one of both halves.
        _field("lr", "optimizer.params.muon_lr", "optimizer.params.lr", default="0.001",
               overrule=_peak, derive=_default_peak),
        *betas("optimizer.params.betas", "0.9", "0.999"),
        _field("eps", "optimizer.params.eps", default="1e-8"),
        *Field.within("optimizer.params", momentum="0", dampening="0", nesterov="false"),
        _field("train_batch_size", "train_batch_size"),
        _field("batch_size", "train_micro_batch_size_per_gpu"),
        _field("grad_accum", "gradient_accumulation_steps", default="1", derive=_accumulation),
        Field(name="world_size", default="1", derive=_devices),
        Field(name="scheduler", paths=("scheduler.type",)),
        _field("steps", f"{_SCHEDULER}.total_num_steps"),
        _field("warmup_num_steps", f"{_SCHEDULER}.warmup_num_steps", default="1000"),
        _field("warmup_min_lr", f"{_SCHEDULER}.warmup_min_lr", default="0"),
        _field("warmup_min_ratio", f"{_SCHEDULER}.warmup_min_ratio", default="0"),
        _field("cos_min_ratio", f"{_SCHEDULER}.cos_min_ratio", default="0.0001"),
        Field(name="warmup_type", paths=(f"{_SCHEDULER}.warmup_type",), default="log"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(
        rule="nothing", switch="the groups that the trainer hands to DeepSpeed"
    ),
    batch=_batch,
    finish=_finish,
    harmless=("zero_optimization*", "fp16*", "bf16*", "optimizer.params.fp32*", "activation*",
              "flops_profiler*", "steps_per_print", "optimizer.params.torch_adam",
              "optimizer.params.adam_lr", "optimizer.params.muon_lr",
              "scheduler.params.warmup_max_lr", "aio*", "autotuning*", "wandb*"),
)  # fmt: skip
