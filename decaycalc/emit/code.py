"""Snippets: a weight decay as ready-to-paste code of a framework, as pure text."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict

from decaycalc.algebra.quantity import Number, exact
from decaycalc.architecture.treatment import Towards
from decaycalc.conventions.catalogue import convention_of, find
from decaycalc.conventions.record import ANY, FIT, MEASURE, SGD, Convention
from decaycalc.conventions.run import Run
from decaycalc.conversion.assumptions import Assumption, AssumptionJson, once, preset_buffer
from decaycalc.conversion.convert import Conversion, check_value, convert
from decaycalc.conversion.plan import Match, target_side
from decaycalc.conversion.side import Side
from decaycalc.emit import (
    deepspeed,
    huggingface,
    jax,
    keras,
    sklearn,
    timm,
    torch,
    trainer_files,
    ultralytics,
)
from decaycalc.emit.masks import chosen_mask
from decaycalc.emit.settings import OwnGroup, SnippetSettings
from decaycalc.errors import (
    MissingQuantityError,
    NoEquivalentError,
    UnknownNameError,
)
from decaycalc.record import Record, replace
from decaycalc.training.groups import lr_of, other_run
from decaycalc.training.record import Exemption, Group, Training

if TYPE_CHECKING:
    from decaycalc.schedule import Schedule


class SnippetJson(TypedDict):
    """Code of one framework, and what it leaves to the reader."""

    framework: str
    convention: str
    parameter: str
    value: float
    lr: float | None
    code: str
    notes: list[str]
    assumptions: list[AssumptionJson]


class Snippet(Record):
    """Code of one framework; `notes` say what it leaves to the reader.

    `assumptions` are the unsaid quantities that entered its number.
    """

    framework: str
    convention: Convention
    value: float
    lr: float
    code: str
    notes: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    def to_dict(self) -> SnippetJson:
        """Return the snippet as JSON holds it."""
        return {
            "framework": self.framework,
            "convention": self.convention.key,
            "parameter": self.convention.parameter,
            "value": self.value,
            "lr": self.lr,
            "code": self.code,
            "notes": list(self.notes),
            "assumptions": [entry.to_dict() for entry in self.assumptions],
        }


Writer = Callable[[SnippetSettings], tuple[str, tuple[str, ...]]]

# The key that each framework's snippet is in, by the kind of optimizer that the source has.
_TARGETS: dict[str, dict[str, str]] = {
    "pytorch": {"sgd": "pytorch-sgd", "adam": "pytorch-adam", "adamw": "pytorch-adamw"},
    "keras": {"sgd": "keras-l2", "adam": "keras-l2", "adamw": "keras-adamw", "lion": "keras-lion"},
    "optax": {"sgd": "optax-sgd", "adamw": "optax-adamw", "lion": "optax-lion"},
    "timm": {"sgd": "timm-sgd", "adamw": "timm-adamw"},
    "hf": {"adamw": "hf-trainer"},
    "hf-trainer": {"sgd": "pytorch-sgd", "adamw": "hf-trainer"},
    "axolotl": {"sgd": "pytorch-sgd", "adamw": "hf-trainer"},
    "llama-factory": {"sgd": "pytorch-sgd", "adamw": "hf-trainer"},
    "torchtune": {"sgd": "pytorch-sgd", "adam": "pytorch-adam", "adamw": "pytorch-adamw"},
    "deepspeed": {"sgd": "pytorch-sgd", "adam": "pytorch-adam", "adamw": "deepspeed-adam"},
    "ultralytics": {"sgd": "ultralytics-sgd", "adamw": "ultralytics-adamw"},
    "sklearn": {"sgd": "sklearn-mlp-sgd", "adam": "sklearn-mlp-adam", "fit": "sklearn-logistic"},
}
FRAMEWORKS = tuple(_TARGETS)
# Why there is no place for groups of one's own.
_WITHOUT_GROUPS = {
    "hf-trainer": "TrainingArguments hold no groups: take --emit hf, which gives the Trainer some",
    "torchtune": "its recipes hand all parameters to the optimizer as one group",
    "ultralytics": "its trainer makes its three groups itself: weights, norms, biases",
    "sklearn": "an estimator has one penalty for all its weights",
}


def emit(
    framework: str,
    value: Number,
    *,
    source: Convention | str,
    run: Run,
    target: Convention | str | None = None,
    target_run: Run | None = None,
    mask: str | None = None,
    exempt: Exemption | None = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    betas: tuple[Number, Number] | None = None,
    eps: Number | None = None,
    groups: tuple[tuple[Group, Training], ...] = (),
    match: Match = Match.OPTIMUM,
) -> Snippet:
    """Return a framework's code for a weight decay: parameter groups, optimizer and schedule.

    `target` is one of the framework's conventions, by default the one whose optimizer is the
    source's; `mask` says what decays, unsaid it is what the run is told to `exempt`, as far as
    there is code for that, else no-1d; `schedule` is the text of `--schedule`, `decay_schedule`
    that of `--decay-schedule`; `groups` select by patterns, each with the run of its tensors.

    Raises:
        UnknownNameError: no such framework or convention.
        MissingQuantityError: lr, or what the conversion or the schedule needs, is unknown.
        NoEquivalentError: the framework has nothing equivalent.
        InvalidValueError: a mask or a schedule that has no code here.
    """
    record = convention_of(source)
    chosen = _target(framework, record, target)
    _require_one_number(framework, record, chosen)
    mask, about = chosen_mask(framework, mask, exempt)
    draft = _Draft(
        source=record, target=chosen, mask=mask, schedule=schedule, decay_schedule=decay_schedule,
        betas=betas, eps=eps, match=match,
    )  # fmt: skip
    settings = draft.settings(value, run=run, target_run=target_run)
    _require_code_for_decays(framework, settings)
    _require_code_for_groups(framework, settings, groups)
    own = _own_groups(draft, settings, groups, run=run, target_run=target_run)
    settings = replace(settings, groups=own)
    code, notes = _writer(framework)(settings)
    return Snippet(
        framework=framework,
        convention=chosen,
        value=settings.value,
        lr=settings.lr,
        code=code,
        notes=(*about, *notes),
        assumptions=settings.assumptions,
    )


def _require_one_number(framework: str, *records: Convention) -> None:
    """Refuse a convention whose number means another one in every layer.

    Raises:
        NoEquivalentError: one of them does.
    """
    for record in records:
        if record.differs_by_layer:
            reason = "it is another number in every layer, and the code has one for all"
            raise NoEquivalentError(record.key, framework, reason)


def _family(record: Convention) -> str:
    """Return the kind of optimizer that a convention's number is meant for."""
    if record.optimizer == FIT:
        return "fit"
    if record.optimizer in {SGD, ANY}:
        return "sgd"
    if record.optimizer == MEASURE:
        return "adamw"
    if record.optimizer == "adam":
        return "adam" if record.strength is not None else "adamw"
    return record.optimizer


def _target(framework: str, source: Convention, target: Convention | str | None) -> Convention:
    """Return the convention that the snippet is in.

    Raises:
        UnknownNameError: no such framework.
        NoEquivalentError: the framework has no optimizer of the source's kind.
    """
    if framework not in _TARGETS:
        hint = f"(one of {', '.join(FRAMEWORKS)})"
        raise UnknownNameError("framework", framework, FRAMEWORKS, hint=hint)
    if target is not None:
        return convention_of(target)
    family = _family(source)
    known = _TARGETS[framework]
    key = known.get(family) or (known.get("sgd") if family == "fit" else None)
    if key is None:
        reason = f"no snippet with the optimizer {family!r} there; name another with --to"
        raise NoEquivalentError(source.key, framework, reason)
    return find(key)


class _Draft(Record):
    """What the settings of the whole model and those of its groups have in common."""

    source: Convention
    target: Convention
    mask: str
    schedule: str | None
    decay_schedule: str | None
    betas: tuple[Number, Number] | None
    eps: Number | None
    match: Match

    def settings(self, value: Number, *, run: Run, target_run: Run | None) -> SnippetSettings:
        """Return what the snippet is written from, for a number and its runs.

        Raises:
            MissingQuantityError: lr, or what the conversion or the schedule needs, is unknown.
            DecaycalcError: the target has nothing equivalent, or a schedule cannot be laid.
        """
        # An epsilon is the code's own: it need not enter the number.
        extras = tuple(pair for pair in run.extras if pair[0] != "eps" or _estimates(run))
        asked = Side(convention=self.source, run=replace(run, extras=extras))
        run = asked.settled_run
        here = Side(convention=self.source, run=run)
        there = target_side(here, self.target, target_run)
        converted = convert(
            value, source=self.source, target=self.target, run=run, target_run=target_run,
            match=self.match,
        )  # fmt: skip
        lr = _lr(converted, there)
        has_momentum = there.has_momentum or _family(self.source) == "sgd"
        return SnippetSettings(
            convention=self.target,
            value=converted.value,
            source=self.source,
            given=check_value(value, self.source),
            equivalence=converted.equivalence.value,
            lr=lr or 0.0,
            momentum=float(there.get("momentum") or 0) if has_momentum else 0.0,
            dampening=float(there.get("dampening") or 0),
            nesterov=there.nesterov,
            run=replace(there.run, lr=exact(lr) if lr else None),
            mask=self.mask,
            schedule=_schedule(self.schedule, there.run),
            decay_schedule=_decay_schedule(self.decay_schedule, here, there, value),
            betas=None if self.betas is None else (_float(self.betas[0]), _float(self.betas[1])),
            eps=None if self.eps is None else _float(self.eps),
            assumptions=once((*converted.assumptions, *preset_buffer(asked))),
        )


def _float(number: Number) -> float:
    return float(exact(number))


def _lr(converted: Conversion[float], there: Side) -> float | None:
    """Return the lr of the code, None where a solver has none.

    Raises:
        MissingQuantityError: it is unknown.
    """
    lr = converted.lr if converted.lr is not None else there.run.get("lr")
    if lr is None and there.convention.optimizer != FIT:
        name = "to_lr" if "lr" in there.own else "lr"
        raise MissingQuantityError(f"a snippet of {there.convention.key}", (name,))
    return None if lr is None else float(lr)


def _estimates(run: Run) -> bool:
    return run.given("gradient_rms") is not None


def _schedule(text: str | None, run: Run) -> "Schedule | None":
    if text is None:
        return None
    # Imported here: only a schedule needs numpy.
    from decaycalc.survival.scheduled import lay_schedule  # noqa: PLC0415

    return lay_schedule(text, run)


def _decay_schedule(text: str | None, here: Side, there: Side, value: Number) -> "Schedule | None":
    """Return the decay's own schedule, which multiplies the source's number and the target's.

    Raises:
        ContradictionError: one of the two decays is not proportional to its number.
    """
    if text is None:
        return None
    from decaycalc.survival.scheduled import (  # noqa: PLC0415
        lay_decay_schedule,
        require_proportional,
    )

    require_proportional(there.convention)
    return lay_decay_schedule(text, here, check_value(value, here.convention))


def _require_code_for_decays(framework: str, settings: SnippetSettings) -> None:
    """Refuse a decay that changes where a framework's settings hold one number.

    Raises:
        NoEquivalentError: they do.
    """
    if settings.decay_schedule is None or framework in {"pytorch", "optax"}:
        return
    if framework == "keras" and settings.convention.key != "keras-l2":
        return
    raise NoEquivalentError(
        settings.source.key, framework, "its settings hold one weight decay for the whole run"
    )


def _own_groups(
    draft: _Draft,
    settings: SnippetSettings,
    groups: tuple[tuple[Group, Training], ...],
    *,
    run: Run,
    target_run: Run | None,
) -> tuple[OwnGroup, ...]:
    """Return what each group has of its own beside the settings of the whole model."""
    base = Training(source="", kind="", title="", run=run)
    own = []
    for group, each in groups:
        if lr_of(base, group) == 0:
            own.append(OwnGroup(pattern=group.selector, lr=0.0, value=None))
            continue
        there = other_run(base, each, target_run)
        made = draft.settings(each.value or 0, run=each.run, target_run=there)
        own.append(_own_group(settings, group, made))
    return tuple(own)


def _own_group(settings: SnippetSettings, group: Group, own: SnippetSettings) -> OwnGroup:
    """Return what the tensors of a group have of their own."""
    return OwnGroup(
        pattern=group.selector,
        lr=None if group.lr is None and own.lr == settings.lr else own.lr,
        value=None if group.weight_decay is None and own.value == settings.value else own.value,
    )


def _require_code_for_groups(
    framework: str, settings: SnippetSettings, groups: tuple[tuple[Group, Training], ...]
) -> None:
    """Refuse groups where a framework's settings hold one, and a decay that no optimizer has.

    Raises:
        NoEquivalentError: they do.
    """
    key = settings.source.key
    if groups and framework in _WITHOUT_GROUPS:
        raise NoEquivalentError(key, framework, _WITHOUT_GROUPS[framework])
    if any(group.towards is Towards.INITIAL for group, _ in groups):
        reason = "its optimizers decay towards zero alone: add the penalty to the loss"
        raise NoEquivalentError(key, framework, reason)


def _writer(framework: str) -> Writer:
    """Return the function that writes a framework's code or the lines of a trainer's file."""
    writers: dict[str, Writer] = {
        "pytorch": torch.write,
        "keras": keras.write,
        "optax": jax.write,
        "timm": timm.write,
        "hf": huggingface.write,
        "hf-trainer": trainer_files.write_hf_trainer,
        "axolotl": trainer_files.write_axolotl,
        "llama-factory": trainer_files.write_llama_factory,
        "torchtune": trainer_files.write_torchtune,
        "deepspeed": deepspeed.write,
        "ultralytics": ultralytics.write,
        "sklearn": sklearn.write,
    }
    return writers[framework]
