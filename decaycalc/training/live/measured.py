"""Measured: what an optimizer's weight decay does, by the steps of a small copy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from struct import pack, unpack

from decaycalc.conventions.record import Follows
from decaycalc.errors import InvalidValueError
from decaycalc.training.live.trial import CopyTrial, Gradient, Weights

_EXACT = 1e-3  # how far the shares of a tensor's weights may lie apart: some step in float32
# A decay of 0 switches the trust ratio of some optimizers off as well: next to nothing does not.
_NEXT_TO_NOTHING = 1e-6
_WARM = 12  # the first steps of some optimizers only fill their buffers
_NOISE = 1e-12  # what rounding leaves of a float64 weight near 1
_NOISE_OF_FLOAT32 = 1e-6
_ROUGH = 0.02
_CARRIED = 0.05  # the part of a decay that a later step repeats, from a buffer
_LONGEST = 4000
_STEPS_OF_A_BUFFER = 40


class Acts(StrEnum):
    """Where a decay acts: on the weight, in the gradient, or where the two are the same."""

    DECOUPLED = "decoupled"
    COUPLED = "coupled"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A decay by its effect; None where it takes no constant share of the weights.

    `share` is what a step takes off a weight; under a linear momentum that is the long run's.
    `other_share` is the share under small gradients. `zero_gradient` and `no_gradient` are what a
    step with a gradient of zero and with none takes off. `times_lr` is whether half the lr is half
    the share, `follows` how the share follows a schedule.
    """

    share: float | None
    other_share: float | None
    acts: Acts
    times_lr: bool | None
    follows: Follows | None
    zero_gradient: float | None
    no_gradient: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSetting:
    """A trial with its numbers: lr (None where the optimizer has none) and λ above 0.

    `warm` steps without decay come before those that are measured. `coarse` says that the
    optimizer rounds to float32 within, whatever it is given.
    """

    trial: CopyTrial
    lr: float | None
    weight_decay: float
    warm: int = 0
    coarse: bool = False

    @property
    def noise(self) -> float:
        """What rounding leaves of a weight near 1."""
        return _NOISE_OF_FLOAT32 if self.coarse else _NOISE

    @property
    def buffer_steps(self) -> int:
        """The steps after which a momentum buffer has settled."""
        momentum = self.trial.options.get("momentum")
        kept = float(momentum) if isinstance(momentum, int | float) else 0.0
        return max(int(_STEPS_OF_A_BUFFER / max(1e-9, 1 - kept)), 3)

    @property
    def settles(self) -> bool:
        """Whether that is soon enough to be stepped."""
        return self.buffer_steps <= _LONGEST

    @property
    def nothing(self) -> float:
        """A decay next to nothing."""
        return self.weight_decay * _NEXT_TO_NOTHING

    def taken(self, gradient: Gradient, *, now: float = 1, peak: float = 1) -> float | None:
        """Return the share that one step takes off beside a step without decay.

        `now` and `peak` multiply the lr of the steps and the lr that the copy is built with.
        """
        bare, decayed = (
            self.after([gradient], decays=[decay], now=now, peak=peak)
            for decay in (self.nothing, self.weight_decay)
        )
        lost = _less(bare[-1], decayed[-1])
        shares = (
            _share(lost, wholes, self.noise) for wholes in bare[-2:]
        )  # decay before or after the step
        share = next((share for share in shares if share is not None), None)
        return None if share is None else share / (1 - _NEXT_TO_NOTHING)

    def after(
        self, gradients: Sequence[Gradient], *, decays: Sequence[float], now: float = 1,
        peak: float = 1,
    ) -> tuple[Weights, ...]:  # fmt: skip
        """Return the weights before and after each step; what warms up is left out."""
        warming = [self.trial.numbers(seed=10 + at) for at in range(self.warm)]
        lr, peak_lr = (None if self.lr is None else self.lr * factor for factor in (now, peak))
        weights = self.trial.weights(
            [*warming, *gradients], decays=[*[self.nothing] * self.warm, *decays], lr=lr,
            peak_lr=peak_lr,
        )  # fmt: skip
        return (self.trial.start, *weights)[self.warm :]


def measure(setting: TrialSetting) -> Measured:
    """Return what a setting's decay does.

    Raises:
        InvalidValueError: a copy that cannot be built or stepped.
    """
    trial = setting.trial
    gradient = trial.numbers(seed=2)
    # Of the size of the penalty's own gradient, where it can turn the sign of an update.
    small = trial.numbers(seed=3, scale=setting.weight_decay)
    shares = [setting.taken(gradient), setting.taken(small)]
    if shares == [0.0, 0.0] and not setting.warm:
        return measure(replace(setting, warm=_WARM))
    linear = _is_linear(setting, gradient)
    if _is_carried(setting, gradient) or None in shares:
        acts = Acts.COUPLED
        shares = [_in_the_long_run(setting)] * 2 if linear else [None, None]
    else:
        acts = Acts.EITHER if linear else Acts.DECOUPLED
    times_lr, follows = (None, None) if not shares[0] else _under_two_lrs(setting, gradient)
    return Measured(
        share=shares[0], other_share=shares[1], acts=acts, times_lr=times_lr, follows=follows,
        zero_gradient=_alone(setting, tuple(0.0 for _ in gradient)),
        no_gradient=_alone(setting, None),
    )  # fmt: skip


def is_coarse(setting: TrialSetting) -> bool:
    """Return whether a trial counts in float32: it says so, or its weights have no more digits.

    Raises:
        InvalidValueError: a copy that cannot be built or stepped.
    """
    if setting.trial.coarse:
        return True
    weights = setting.after([setting.trial.numbers(seed=2)], decays=[setting.weight_decay])[-1]
    return all(unpack("f", pack("f", weight))[0] == weight for weight in weights)


def _less(bare: Weights, decayed: Weights) -> Weights:
    return tuple(one - other for one, other in zip(bare, decayed, strict=True))


def _share(lost: Weights, wholes: Weights, noise: float) -> float | None:
    """Return the share of the weights that is lost, None where it is not one share of them all."""
    if not all(wholes):
        return None
    shares = [part / whole for part, whole in zip(lost, wholes, strict=True)]
    middle = sum(shares) / len(shares)
    apart = max(shares) - min(shares)
    if not isfinite(middle) or apart > _EXACT * abs(middle) + noise:
        return None
    return 0.0 if abs(middle) < noise else middle


def _alone(setting: TrialSetting, gradient: Gradient) -> float | None:
    """Return what a step without a data gradient takes off; None where it is no share."""
    try:
        weights = replace(setting, warm=0).after([gradient], decays=[setting.weight_decay])
    except InvalidValueError:  # some divide by the norm of the gradient, or need one
        return None
    return _share(_less(*weights), weights[0], setting.noise)


def _is_linear(setting: TrialSetting, gradient: Weights) -> bool:
    """Return whether twice the gradient is twice the step."""
    doubled = tuple(2 * part for part in gradient)
    once, twice = (
        replace(setting, warm=0).after([each], decays=[setting.nothing])
        for each in (gradient, doubled)
    )
    pairs = zip(_less(*once), _less(*twice), strict=True)
    return all(abs(double - 2 * single) <= _EXACT * abs(double) for single, double in pairs)


def _is_carried(setting: TrialSetting, gradient: Weights) -> bool:
    """Return whether the decay of one step acts in the next, where there is none any more."""
    both, nothing = [gradient, gradient], setting.nothing
    bare = setting.after(both, decays=[nothing, nothing])
    decayed = setting.after(both, decays=[setting.weight_decay, nothing])
    first, second = (_less(*pair) for pair in zip(bare[1:], decayed[1:], strict=True))
    largest = max(map(abs, first))
    return max(map(abs, _less(second, first))) > _CARRIED * largest + setting.noise


def _in_the_long_run(setting: TrialSetting) -> float | None:
    """Return the share that a step takes once a buffer has settled, without a data gradient.

    None where it does not settle in time.
    """
    if not setting.settles:
        return None
    zero, steps = tuple(0.0 for _ in setting.trial.start), setting.buffer_steps
    weights = setting.after([zero] * steps, decays=[setting.weight_decay] * steps)
    before, last = (
        _share(_less(*pair), pair[0], setting.noise)
        for pair in ((weights[-3], weights[-2]), (weights[-2], weights[-1]))
    )
    # Where the decay oscillates each step takes another share.
    return last if before is not None and last is not None and _near(before, last) else None


def _under_two_lrs(setting: TrialSetting, gradient: Weights) -> tuple[bool | None, Follows | None]:
    """Return whether half the lr is half the share, and how the share follows a schedule."""
    if setting.lr is None:
        return None, None
    whole = setting.taken(gradient)
    now, both = setting.taken(gradient, now=0.5), setting.taken(gradient, now=0.5, peak=0.5)
    if not whole or now is None or both is None:
        return None, None
    times_lr = _near(both / whole, 0.5)
    followed = {1.0: Follows.CONSTANT, 0.25: Follows.LR_SQUARED,
                0.5: Follows.LR if times_lr else Follows.MULTIPLIER}  # fmt: skip
    return times_lr, next((how for at, how in followed.items() if _near(now / whole, at)), None)


def _near(ratio: float, wanted: float) -> bool:
    return abs(ratio - wanted) < _ROUGH * abs(wanted)
