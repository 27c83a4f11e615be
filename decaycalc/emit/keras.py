"""Keras snippets: L2 on the variables or the optimizer's decay, and the lr schedule."""

from decaycalc.conventions.record import SGD, Buffer
from decaycalc.emit.own_groups import indented, own_lines, sorting_lines
from decaycalc.emit.schedule import schedule_lines
from decaycalc.emit.settings import (
    SnippetSettings,
    assemble,
    call,
    decay_lines,
    refuse_convention,
    require_mask,
)

_MULTI = "keras.optimizers.MultiOptimizer came with Keras 3.15"
_CLASSES = {
    "keras-sgd": "SGD",
    "keras-adam": "Adam",
    "keras-adamw": "AdamW",
    "keras-lion": "Lion",
}
_CONDITIONS = {
    "all": "True",
    "no-1d": 'len(variable.shape) > 1 and not variable.path.endswith("bias")',
    "no-bias": 'not variable.path.endswith(("bias", "beta"))',
    "matrices": "len(variable.shape) > 1",
}


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the code, which finds its built network in `model`, and its notes.

    Raises:
        NoEquivalentError: a convention that is none of Keras'.
        InvalidValueError: a mask or a schedule without code.
    """
    key = settings.convention.key
    if key not in _CLASSES and key != "keras-l2":
        raise refuse_convention(settings, "keras")
    require_mask(settings, *_CONDITIONS)
    if settings.groups:
        body = _grouped(settings)
    elif key == "keras-l2":
        body = [*_schedule(settings), *_penalised(settings)]
    else:
        body = [
            *_schedule(settings),
            *_decays(settings, _CLASSES[key]),
            *_decoupled(settings, _CLASSES[key]),
        ]
    code = assemble(settings, ("import re", "import keras", "from keras import ops"), body)
    notes = ("the model must be built first, so that it has variables", *_buffer(settings))
    return code, (*notes, _MULTI) if settings.groups else notes


def _grouped(settings: SnippetSettings) -> list[str]:
    """Return the lines of one optimizer for each lr and decay, by the paths of the variables.

    Source: keras 3.15.1 src/optimizers/multi_optimizer.py, whose map knows a variable by its path.
    """
    penalised = settings.convention.key == "keras-l2"
    name = _name_of(settings)
    lr = "lr" if settings.schedule is None else "Schedule(lr)"
    changing = settings.decay_schedule is not None and not penalised
    constructor = f"Decayed{name}" if changing else f"keras.optimizers.{name}"
    made = call(constructor, _arguments(settings, name, lr, None if penalised else "weight_decay"))
    return [
        *own_lines(settings),
        "",
        "",
        *_schedule(settings),
        *(_decays(settings, name) if changing else []),
        "def make(lr, weight_decay):",
        *indented(f"return {made}".splitlines()),
        "",
        "",
        "optimizers, by_path = {}, {}",
        *_sorted_variables(settings, penalised=penalised),
        "usual = next(iter(optimizers.values()))",
        "optimizer = keras.optimizers.MultiOptimizer(",
        "    keras.optimizers.OptimizerMap(usual, by_path)",
        ")",
    ]


def _sorted_variables(settings: SnippetSettings, *, penalised: bool) -> list[str]:
    """Return the lines that give each variable the optimizer of its lr and decay."""
    key = 'group["lr"], 0.0' if penalised else 'group["lr"], group["weight_decay"]'
    lines = [
        "for variable in model.trainable_variables:",
        "    name = variable.path",
        *indented(sorting_lines(settings, _CONDITIONS[settings.mask])),
        f"    key = ({key})",
        "    optimizers.setdefault(key, make(*key))",
        "    by_path[name] = optimizers[key]",
    ]
    if penalised:
        penalty = 'keras.regularizers.L2(group["weight_decay"])'
        lines += ['    if group["weight_decay"]:', f"        variable.regularizer = {penalty}"]
    return lines


def _name_of(settings: SnippetSettings) -> str:
    """Return the class of the optimizer: of a penalty, the source's."""
    penalised = "Adam" if settings.source.is_adaptive else "SGD"
    return _CLASSES.get(settings.convention.key, penalised)


def _arguments(
    settings: SnippetSettings, name: str, lr: str, decay: str | None
) -> dict[str, str | None]:
    """Return the optimizer's arguments; `lr` and `decay` are the texts of its numbers."""
    is_sgd = name == "SGD"
    return {
        "learning_rate": lr,
        "momentum": repr(settings.momentum) if is_sgd else None,
        "nesterov": "True" if is_sgd and settings.nesterov else None,
        **_betas(settings, is_sgd=is_sgd),
        "weight_decay": decay,
    }


def _buffer(settings: SnippetSettings) -> tuple[str, ...]:
    """Return the note that Keras' momentum is not that of a source with lr outside its buffer."""
    source = settings.source
    outside = source.optimizer == SGD and source.buffer != Buffer.INSIDE
    if not (outside and settings.momentum and settings.schedule is not None):
        return ()
    text = "Keras' SGD keeps lr inside its momentum buffer: where lr changes, its steps differ"
    return (f"{text} from {source.key}'s for about 1/(1 - momentum) steps",)


def _lr(settings: SnippetSettings) -> str:
    return repr(settings.lr) if settings.schedule is None else "Schedule()"


def _penalised(settings: SnippetSettings) -> list[str]:
    """Return the lines of a penalty in the loss, with the optimizer that the source has."""
    name = _name_of(settings)
    arguments = _arguments(settings, name, _lr(settings), None)
    return [
        "for variable in model.trainable_variables:",
        f"    if {_CONDITIONS[settings.mask]}:",
        f"        variable.regularizer = keras.regularizers.L2({settings.value!r})",
        f"optimizer = {call(f'keras.optimizers.{name}', arguments)}",
    ]


def _decoupled(settings: SnippetSettings, name: str) -> list[str]:
    """Return the lines of an optimizer that decays by itself."""
    arguments = _arguments(settings, name, _lr(settings), repr(settings.value))
    changing = settings.decay_schedule is not None
    constructor = f"Decayed{name}" if changing else f"keras.optimizers.{name}"
    lines = [f"optimizer = {call(constructor, arguments)}"]
    if settings.mask == "all":
        return lines
    return [
        *lines,
        "exempt = [",
        "    variable for variable in model.trainable_variables",
        f"    if not ({_CONDITIONS[settings.mask]})",
        "]",
        "optimizer.exclude_from_weight_decay(var_list=exempt)",
    ]


def _betas(settings: SnippetSettings, *, is_sgd: bool) -> dict[str, str | None]:
    if is_sgd or settings.betas is None:
        return {"epsilon": None if is_sgd else settings.eps_text}
    one, two = settings.betas
    return {"beta_1": repr(one), "beta_2": repr(two), "epsilon": settings.eps_text}


def _schedule(settings: SnippetSettings) -> list[str]:
    """Return a LearningRateSchedule with the multiplier in keras.ops."""
    if settings.schedule is None:
        return []
    body = [f"        {line}" for line in schedule_lines(settings.schedule, xp="ops")]
    peak, fields, made = repr(settings.lr), "{}", []
    if settings.groups:
        peak, fields = "self.peak", '{"peak": self.peak}'
        made = ["    def __init__(self, peak):", "        self.peak = peak", ""]
    return [
        "class Schedule(keras.optimizers.schedules.LearningRateSchedule):",
        f'    """{settings.schedule_text}."""',
        "",
        *made,
        "    def multiplier(self, step):",
        *body,
        "",
        "    def __call__(self, step):",
        f'        return {peak} * self.multiplier(ops.cast(step, "float32"))',
        "",
        "    def get_config(self):",
        f"        return {fields}",
        "",
        "",
    ]


def _decays(settings: SnippetSettings, name: str) -> list[str]:
    """Return an optimizer whose weight_decay follows its count of steps."""
    if settings.decay_schedule is None:
        return []
    return [
        *decay_lines(settings.decay_schedule, settings.value, xp="ops"),
        f"class Decayed{name}(keras.optimizers.{name}):",
        '    """Its weight_decay is what was given times decay_multiplier(step)."""',
        "",
        "    @property",
        "    def weight_decay(self):",
        '        return self.full_decay * decay_multiplier(ops.cast(self.iterations, "float32"))',
        "",
        "    @weight_decay.setter",
        "    def weight_decay(self, value):",
        "        self.full_decay = value",
        "",
        "",
    ]
