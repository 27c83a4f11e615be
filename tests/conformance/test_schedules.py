"""Our schedules beside PyTorch's, transformers' and optax's own, step by step.

Run where the frameworks are installed: `pytest tests/conformance/test_schedules.py`.

Where the three differ from each other:
- after its end a cosine stays down (optax; ours) or goes up again (torch, transformers: mirror);
- one-cycle reaches its ends at steps `rise*n - 1` and `n - 1` (torch; ours) or `int(rise*n)` and
  `n` (optax: follow=optax);
- warm-stable-decay decays by a half cosine in transformers, along a line in ours (shape=cosine).
Warm-ups of optax and transformers are at t/W at step t, ours too; torch's LinearLR likewise.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from decaycalc.schedule import parse_schedule

N = 100
CLOSE = 1e-12  # torch updates its lr from step to step, which rounds a hundred times


def ours(text: str, n: int = N) -> np.ndarray:
    return parse_schedule(text, total_steps=n).multiplier(np.arange(N))


def from_optimizer(make: Callable[[Any], Any]) -> np.ndarray:
    """The lr that torch's optimizer has at each step, beside a peak of 1."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    found = []
    for _ in range(N):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return np.array(found)


TORCH = [
    ("CosineAnnealingLR", (N,), {"eta_min": 0.1}, "cosine:final=0.1", N),
    ("CosineAnnealingLR", (30,), {"eta_min": 0.1}, "cosine:final=0.1,length=30,after=mirror", N),
    ("CosineAnnealingWarmRestarts", (7, 2), {"eta_min": 0.1},
     "cosine-restarts:final=0.1,period=7,growth=2", N),
    ("CosineAnnealingWarmRestarts", (7,), {}, "cosine-restarts:period=7", N),
    ("StepLR", (30, 0.2), {}, "step:every=30,gamma=0.2", N),
    ("MultiStepLR", ([30, 60, 80],), {"gamma": 0.1}, "step:at=30/60/80,gamma=0.1", N),
    ("ExponentialLR", (0.97,), {}, "exponential:gamma=0.97", N),
    ("PolynomialLR", (60, 2.0), {}, "polynomial:power=2,length=60", N),
    ("LinearLR", (1 / 3, 1, 20), {}, "constant:warmup=20,start=1/3", N),
    ("LinearLR", (1.0, 0.1, 80), {}, "linear:final=0.1,length=80", N),
    ("LinearLR", (0.05, 1, 19), {}, "constant:warmup=20,ramp=one", N),
    ("ConstantLR", (0.5, 40), {}, "constant:value=0.5,until=40 + constant", N),
    ("OneCycleLR", (1.0, N + 1), {}, "one-cycle", N + 1),
    ("OneCycleLR", (1.0, N + 1), {"anneal_strategy": "linear", "pct_start": 0.25},
     "one-cycle:shape=linear,rise=0.25", N + 1),
    ("OneCycleLR", (1.0, N + 1), {"three_phase": True}, "one-cycle:phases=3", N + 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "positions", "settings", "text", "n"), TORCH)
@pytest.mark.filterwarnings("ignore")
def test_torch(*, name: str, positions: Any, settings: Any, text: str, n: int) -> None:
    schedulers = pytest.importorskip("torch").optim.lr_scheduler

    def make(optimizer: Any) -> Any:
        return getattr(schedulers, name)(optimizer, *positions, **settings)

    assert ours(text, n) == pytest.approx(from_optimizer(make), rel=CLOSE, abs=CLOSE)


@pytest.mark.filterwarnings("ignore")
def test_torch_sequential() -> None:
    schedulers = pytest.importorskip("torch").optim.lr_scheduler

    def make(optimizer: Any) -> Any:
        warmup = schedulers.LinearLR(optimizer, 0.1, 1, 10)
        return schedulers.SequentialLR(optimizer, [warmup, schedulers.StepLR(optimizer, 30)], [10])

    text = "constant:warmup=10,start=0.1,until=10 + step:every=30"
    assert ours(text) == pytest.approx(from_optimizer(make), rel=CLOSE)


TRANSFORMERS = [
    ("get_constant_schedule_with_warmup", (10,), {}, "constant:warmup=10"),
    ("get_linear_schedule_with_warmup", (10, 80), {}, "linear:warmup=10,length=80"),
    ("get_cosine_schedule_with_warmup", (10, N), {}, "cosine:warmup=10"),
    ("get_cosine_schedule_with_warmup", (10, 55), {}, "cosine:warmup=10,length=55,after=mirror"),
    ("get_cosine_with_min_lr_schedule_with_warmup", (10, N), {"min_lr_rate": 0.1},
     "cosine:warmup=10,final=0.1"),
    ("get_cosine_with_hard_restarts_schedule_with_warmup", (10, 80, 3), {},
     "cosine-restarts:warmup=10,length=80,cycles=3"),
    ("get_polynomial_decay_schedule_with_warmup", (10, 80), {"lr_end": 0.01, "power": 2},
     "polynomial:warmup=10,length=80,power=2,final=0.01"),
    ("get_inverse_sqrt_schedule", (10,), {}, "inverse-sqrt:warmup=10"),
    ("get_inverse_sqrt_schedule", (0,), {}, "inverse-sqrt"),
    ("get_inverse_sqrt_schedule", (0, 50), {}, "inverse-sqrt:timescale=50"),
    *(
        ("get_wsd_schedule", (10, 30, N), {"decay_type": shape, "min_lr_ratio": 0.1},
         f"warmup_stable_decay:warmup=10,decay=30,final=0.1,shape={shape}")
        for shape in ("linear", "cosine", "1-sqrt")
    ),
    ("get_wsd_schedule", (10, 30, N), {"min_lr_ratio": 0.1},
     "warmup_stable_decay:warmup=10,num_decay_steps=30,min_lr_ratio=0.1"),
    ("get_constant_schedule_with_warmup", (10,), {}, "constant_with_warmup:warmup_steps=10"),
    ("get_cosine_with_hard_restarts_schedule_with_warmup", (10, N), {},
     "cosine_with_restarts:warmup_steps=10"),
    ("get_cosine_with_min_lr_schedule_with_warmup", (10, N), {"min_lr_rate": 0.1},
     "cosine_with_min_lr:warmup_steps=10,min_lr_rate=0.1"),
    ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", (10, N), {"min_lr_rate": 0.1},
     "cosine_warmup_with_min_lr:warmup_steps=10,min_lr_rate=0.1"),
    ("get_inverse_sqrt_schedule", (10,), {}, "inverse_sqrt:warmup_steps=10"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "positions", "settings", "text"), TRANSFORMERS)
@pytest.mark.filterwarnings("ignore")
def test_transformers(name: str, positions: Any, settings: Any, text: str) -> None:
    optimization = pytest.importorskip("transformers.optimization")

    def make(optimizer: Any) -> Any:
        return getattr(optimization, name)(optimizer, *positions, **settings)

    assert ours(text) == pytest.approx(from_optimizer(make), rel=CLOSE, abs=CLOSE)


CYCLES = [
    {"init_value": 0.0, "peak_value": 0.5**k, "warmup_steps": 0, "decay_steps": 20 * 2**k}
    for k in range(3)
]
OPTAX = [
    ("constant_schedule", (1.0,), {}, "constant"),
    ("linear_schedule", (1.0, 0.1, 60), {}, "linear:length=60,final=0.1"),
    ("cosine_decay_schedule", (1.0, 60, 0.1), {"exponent": 2},
     "cosine:length=60,final=0.1,exponent=2"),
    ("warmup_constant_schedule", (0.2, 1.0, 10), {}, "constant:warmup=10,start=0.2"),
    ("warmup_cosine_decay_schedule", (0.2, 1.0, 10, 60, 0.1), {},
     "cosine:warmup=10,start=0.2,length=60,final=0.1"),
    ("polynomial_schedule", (1.0, 0.1, 3, 60), {}, "polynomial:power=3,length=60,final=0.1"),
    ("piecewise_constant_schedule", (1.0, {30: 0.1, 60: 0.5}), {}, "step:at=30/60,gamma=0.1/0.5"),
    ("exponential_decay", (1.0, 20, 0.5), {}, "exponential:gamma=0.5,every=20"),
    ("exponential_decay", (1.0, 20, 0.5), {"staircase": True}, "step:gamma=0.5,every=20"),
    ("exponential_decay", (1.0, 20, 0.5), {"end_value": 0.2},
     "exponential:gamma=0.5,every=20,floor=0.2"),
    ("warmup_exponential_decay_schedule", (0, 1.0, 10, 20, 0.5), {},
     "exponential:gamma=0.5,every=20,warmup=10"),
    ("cosine_onecycle_schedule", (N, 1.0), {}, "one-cycle:follow=optax"),
    ("linear_onecycle_schedule", (N, 1.0), {}, "one-cycle:follow=optax,phases=3,shape=linear"),
    ("sgdr_schedule", (CYCLES,), {}, "cosine-restarts:period=20,growth=2,gamma=0.5"),
]  # fmt: skip


def from_optax(schedule: Callable[[int], Any]) -> np.ndarray:
    return np.array([float(schedule(step)) for step in range(N)])


@pytest.fixture(name="schedules")
def _schedules() -> Any:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003  (jax's signature)
    return pytest.importorskip("optax").schedules


@pytest.mark.parametrize(("name", "positions", "settings", "text"), OPTAX)
@pytest.mark.filterwarnings("ignore")
def test_optax(*, schedules: Any, name: str, positions: Any, settings: Any, text: str) -> None:
    theirs = from_optax(getattr(schedules, name)(*positions, **settings))
    assert ours(text) == pytest.approx(theirs, rel=CLOSE, abs=CLOSE)


@pytest.mark.filterwarnings("ignore")
def test_optax_join(schedules: Any) -> None:
    parts = [
        schedules.warmup_constant_schedule(0, 1.0, 10),
        schedules.cosine_decay_schedule(1.0, 30, 0.1),
        schedules.constant_schedule(0.1),
    ]
    text = "constant:warmup=10,until=40 + cosine:final=0.1,until=70% + constant:value=0.1"
    assert ours(text) == pytest.approx(from_optax(schedules.join_schedules(parts, [40, 70])))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("lr", "momentum", "decay", "n_steps", "dampening", "nesterov"),
    [
        (0.1, 0.9, 0.01, 100, 0.0, False),
        (0.1, 0.9, 0.01, 100, 0.0, True),
        (0.1, 0.9, 0.01, 100, 0.5, False),
        (1.0, 0.0, 0.01, 100, 0.5, False),
        (0.5, 0.99, 0.1, 100, 0.0, False),
    ],
)
def test_survival_is_that_of_torch_sgd_under_a_cosine(
    *, lr: float, momentum: float, decay: float, n_steps: int, dampening: float, nesterov: bool
) -> None:
    from decaycalc.survival.rule import DecayRule
    from decaycalc.survival.summary import survive

    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.SGD(
        [weight], lr=lr, momentum=momentum, weight_decay=decay, dampening=dampening,
        nesterov=nesterov,
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps, eta_min=0.1 * lr)
    curve = []
    for _ in range(n_steps):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        schedule.step()
        curve.append(float(weight))
    rule = DecayRule(
        step=lr * decay, momentum=momentum, dampening=dampening, lookahead=int(nesterov)
    )
    found = survive(parse_schedule("cosine:final=0.1", total_steps=n_steps), rule)
    ours_ = [point.survival for point in found.curve]
    assert ours_ == pytest.approx(curve, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("by_epoch", [False, True])
def test_timm_lays_its_warm_up_over_the_cosine(*, prefix: bool, by_epoch: bool) -> None:
    scheduler = pytest.importorskip("timm.scheduler.cosine_lr")
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    found, per_epoch, epochs = [], 5, 20
    schedule = scheduler.CosineLRScheduler(
        optimizer, t_initial=epochs * (1 if by_epoch else per_epoch), lr_min=0.1,
        warmup_t=4 * (1 if by_epoch else per_epoch), warmup_lr_init=0.01, warmup_prefix=prefix,
        t_in_epochs=by_epoch,
    )  # fmt: skip
    total = per_epoch * (epochs + (4 if prefix else 0))
    for step in range(total):
        if by_epoch and step % per_epoch == 0:
            schedule.step(step // per_epoch)
        elif not by_epoch:
            schedule.step_update(step)
        found.append(optimizer.param_groups[0]["lr"])
    text = "cosine:final=0.1,start=0.01,warmup=4epochs"
    text += ("" if prefix else ",over=run") + (",per=1epochs" if by_epoch else "")
    laid = parse_schedule(text, total_steps=total, steps_per_epoch=per_epoch)
    assert laid.multiplier(np.arange(float(total))) == pytest.approx(found, rel=CLOSE)


@pytest.mark.parametrize("text", ["cosine:final=10", "linear:initial=0,final=1", "cosine"])
def test_optaxs_decay_may_be_a_function_of_the_step(text: str) -> None:
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    from decaycalc.survival.rule import DecayRule
    from decaycalc.survival.summary import survive

    jax.config.update("jax_enable_x64", val=True)
    lr, decay = (parse_schedule(each, total_steps=N) for each in ("cosine:warmup=10", text))

    def follow(schedule: Any, peak: float) -> Callable[[Any], Any]:
        table = jax.numpy.array(peak * schedule.multiplier(np.arange(float(N))))
        return lambda count: table[count]

    optimizer = optax.adamw(follow(lr, 3e-3), weight_decay=follow(decay, 0.4))
    weight = jax.numpy.array(1.0)
    state = optimizer.init(weight)
    for _ in range(N):
        updates, state = optimizer.update(jax.numpy.array(0.0), state, weight)
        weight = optax.apply_updates(weight, updates)
    found = survive(lr, DecayRule(step=3e-3 * 0.4), decay_schedule=decay)
    assert found.survival == pytest.approx(float(weight), rel=CLOSE)
