"""PaddleClas' YAML configurations.

Source: PaddleClas d178931f ppcls/optimizer/{optimizer,learning_rate}.py.
"""

from fractions import Fraction
from itertools import pairwise

from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.by_class import (
    PADDLE_USES,
    class_default,
    paddle_class,
    paddle_optimizer,
)
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM, refused
from decaycalc.training.reading.schedules import (
    Option,
    Options,
    brief,
    compose,
    epochs,
    of_lr,
    ratio,
)
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced


def _optimizer(settings: Settings) -> Optimizer:
    made = paddle_optimizer(settings, {**PADDLE_USES, "nadam": ADAM})
    if made.convention is None or settings.word("regularizer") != "l1":
        return made
    return refused("an L1 regularizer has no weight decay of its own")


def _warmup(settings: Settings) -> Options:
    length = settings.number("warmup_epoch")
    start = ratio(settings, "warmup_start_lr", "lr") if length else None
    per = "1epochs" if settings.flag("by_epoch") else None
    return {"warmup": epochs(length) if length else None, "start": start or None, "per": per}


def _schedule(settings: Settings) -> str | None:
    """Source: PaddleClas d178931f ppcls/optimizer/learning_rate.py."""
    name, warm = settings.word("scheduler"), _warmup(settings)
    if name == "cosine":
        return compose("cosine", **warm, final=of_lr(settings, "eta_min"))
    if name == "linear":
        power, final = settings.number("power"), of_lr(settings, "end_lr")
        if settings.flag("cycle") or (warm["per"] and warm["warmup"]):  # that would never end
            return None
        return (
            compose("linear", **warm, final=final)
            if power == 1
            else compose("polynomial", power=power, **warm, final=final)
        )
    if name in {"constant", "constlr"}:  # the first has no warm-up
        return "constant" if name == "constant" else compose("constant", **warm)
    if name == "piecewise":
        return _piecewise(settings, warm)
    return _by_gamma(settings, name, warm)


def _by_gamma(settings: Settings, name: str, warm: Options) -> str | None:
    """Return the steps by a factor, at epochs or every so many; None for any other schedule."""
    gamma = settings.number("gamma") or Fraction(0)
    at, every = settings.texts("Optimizer.lr.milestones"), settings.number("step_size")
    if name == "multistepdecay" and at:
        return _steps(settings, at, gamma, warm)
    if name != "step" or not every:
        return None
    step = compose("step", every=epochs(every), gamma=gamma)
    if warm["warmup"] is None:
        return step
    return f"{compose('constant', **warm, until=warm['warmup'])} + {step}"


def _piecewise(settings: Settings, warm: Options) -> str | None:
    """Return the steps; with learning_rate set they are every 30 epochs by a tenth."""
    if settings.has("Optimizer.lr.learning_rate"):
        total = settings.number("epochs")
        if total is None:
            return None
        thirties = tuple(str(epoch) for epoch in range(30, int(total), 30))
        if not thirties:
            return compose("constant", **warm)
        return _steps(settings, thirties, "0.1", warm)
    values = numbers_of(",".join(settings.texts("Optimizer.lr.values")))
    at = settings.texts("Optimizer.lr.decay_epochs")
    gammas = tuple(later / earlier for earlier, later in pairwise(values) if earlier)
    return _steps(settings, at, brief(gammas), warm) if at and len(gammas) == len(at) else None


def _steps(settings: Settings, at: tuple[str, ...], gamma: Option, warm: Options) -> str:
    """Return the steps; paddle's LinearWarmup lets the schedule within begin where it ends.

    Source: paddle 3 optimizer/lr.py, LinearWarmup.get_lr.
    """
    later = settings.number("warmup_epoch") or Fraction(0)
    begins = (number + later for number in numbers_of(",".join(at)))
    return compose("step", at=epochs(*begins), gamma=gamma, **warm)


def _peak(settings: Settings) -> Sourced | None:
    """Return the first of Piecewise's values, where no learning_rate is set."""
    found = numbers_of(",".join(settings.texts("Optimizer.lr.values")))
    return derived("lr", decimal_text(found[0]), "Optimizer.lr.values") if found else None


def _exempt(settings: Settings) -> Exemption:
    names = (settings.text("no_weight_decay_name") or "").split()
    parts = [f"names with {' or '.join(names)[:200]}"] if names else []
    parts += ["1-D tensors"] if settings.flag("one_dim") else []
    switch = "Optimizer.no_weight_decay_name, Optimizer.one_dim_param_no_weight_decay"
    known = "matrices" if parts else "all"
    mask = None if names else known
    return Exemption(rule=" and ".join(parts) or "nothing", switch=switch, mask=mask)


TRAINER = Trainer(
    kind="paddleclas",
    title="PaddleClas",
    version="PaddleClas d178931f",
    signatures=(
        Signature(all_of=("Optimizer.name",), any_of=("Global.epochs", "Arch.name",
                  "Optimizer.lr.name", "DataLoader.Train.sampler.batch_size"), at_least=2),
    ),
    fields=(
        Field(name="optimizer", paths=("Optimizer.name",)),
        Field(name="regularizer", paths=("Optimizer.regularizer.name",)),
        Field(name="weight_decay", paths=("Optimizer.regularizer.coeff", "Optimizer.weight_decay"),
              derive=class_default("weight_decay", paddle_class)),
        Field(name="lr", paths=("Optimizer.lr.learning_rate",), derive=_peak),
        Field(name="momentum", paths=("Optimizer.momentum",), default="0.9"),
        Field(name="nesterov", paths=("Optimizer.use_nesterov",), default="false"),
        *Field.within("Optimizer", beta1="0.9", beta2="0.999"),
        Field(name="eps", paths=("Optimizer.epsilon",), default="1e-8"),
        Field(name="batch_size", paths=("DataLoader.Train.sampler.batch_size",)),
        Field(name="grad_accum", paths=("Global.update_freq",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="drop_last", paths=("DataLoader.Train.sampler.drop_last",), default="false"),
        Field(name="epochs", paths=("Global.epochs",)),
        Field(name="scheduler", paths=("Optimizer.lr.name",), default="Constant"),
        *Field.within("Optimizer.lr", warmup_epoch="0", warmup_start_lr="0", eta_min="0",
                      by_epoch="false", power="1", cycle="false", gamma="0.1", step_size=None,
                      end_lr="0"),
        Field(name="no_weight_decay_name", paths=("Optimizer.no_weight_decay_name",)),
        Field(name="one_dim", paths=("Optimizer.one_dim_param_no_weight_decay",), default="false"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    harmless=("Arch*", "Loss*", "Metric*", "DataLoader*", "Global*", "AMP*", "EMA*", "Infer*",
              "Optimizer.clip_norm", "Optimizer.lr*"),
)  # fmt: skip
