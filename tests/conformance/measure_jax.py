"""What measure.py measures of stacks on JAX: what their own builders make of one weight."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
from measure_frameworks import walked
from measure_sources import loaded
from measure_stacks import EPS, package

LR, VALUE = 0.0173, 0.037
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32")


def transformed(build):
    """Return the measurement of an optax transformation that `build` makes of a number."""

    def measure(gradients=None, value=VALUE):
        import jax.numpy as jnp
        import optax

        weight = {"kernel": jnp.asarray(START)}
        transform = build(value, weight)
        state = transform.init(weight)

        def step(gradient):
            nonlocal weight, state
            updates, state = transform.update({"kernel": jnp.asarray(gradient)}, state, weight)
            weight = optax.apply_updates(weight, updates)

        return walked(step, lambda: np.asarray(weight["kernel"]).astype(float))(gradients)

    return measure


def sophia(value, _):
    """Return optax's Sophia, whose Hessian estimate is that of Σw²."""
    import jax.numpy as jnp
    import optax

    transform = optax.contrib.sophia(LR, weight_decay=value)

    def update(gradients, state, weights):
        return transform.update(
            gradients, state, weights, obj_fn=lambda w: jnp.sum(w["kernel"] ** 2)
        )

    return optax.GradientTransformation(transform.init, update)


def big_vision(value, weight):
    """Return what big_vision's trainer builds, at the peak of its schedule."""
    absent = ("big_vision.utils", "flax", "ml_collections", "absl", "tensorflow", "clu")
    module = package("google-research/big_vision", "big_vision.optax", *absent)
    import jax

    module._make_mask_trees = lambda params, patterns, *_, **__: (
        [jax.tree.map(lambda _: True, params) for _ in patterns],
        [each for _, each in patterns],
    )
    module.u.create_learning_rate_schedule = lambda **_: lambda _: 1.0

    class Settings(dict):
        __getattr__ = dict.__getitem__

    settings = Settings(
        optax_name="scale_by_adam", optax={"b1": 0.9, "b2": 0.999}, lr=LR, wd=value, schedule={}
    )
    return module.make(settings, weight, sched_kw={})[0]


def maxtext(value, _):
    """Return what MaxText builds of its configuration."""
    absent = ("maxtext.common", "maxtext.utils", "flax", "absl", "omegaconf")
    module = package("AI-Hypercomputer/maxtext/src", "maxtext.optimizers.optimizers", *absent)
    settings = SimpleNamespace(
        opt_type="adamw", adam_b1=0.9, adam_b2=0.999, adam_eps=EPS, adam_eps_root=0.0,
        adam_weight_decay=value, mu_dtype=None, adamw_mask=None, skip_step_on_spikes=False,
        trainable_parameters_mask=None,
    )  # fmt: skip
    return module.get_optimizer(settings, LR)


CONSTANT = {"lr_schedule": "constant", "warmup": 0, "max_grad_norm": None}


def stepped_by_levanter(settings, weight):
    """Return a step of what a configuration of Levanter builds for a linear layer, and a look."""
    import equinox
    import haliax
    import jax
    import jax.numpy as jnp

    def with_weight(found):
        return equinox.tree_at(lambda each: each.weight.array, layer, jnp.asarray(found))

    out, into = (haliax.Axis(*each) for each in zip(("out", "into"), weight.shape, strict=True))
    key = jax.random.PRNGKey(0)
    layer = haliax.nn.Linear.init(into, out, key=key, use_bias=False, out_first=True)
    layer = with_weight(weight)
    transform = settings.build(10_000)
    state, update = transform.init(layer), equinox.filter_jit(transform.update)

    def step(gradient):
        nonlocal layer, state
        updates, state = update(with_weight(gradient.astype("float32")), state, layer)
        layer = equinox.apply_updates(layer, updates)

    return step, lambda: np.asarray(layer.weight.array).astype(float)


def levanter(name, **fixed):
    """Return the measurement of one of Levanter's optimizers at a constant lr.

    The number of those that keep the norm is their lr.
    """

    def measure(gradients=None, value=VALUE):
        import levanter.optim

        numbers = {"learning_rate": value}
        if name == "Adam":
            numbers = {
                "learning_rate": LR,
                "weight_decay": value,
                "default_weight_decay_mask": False,
            }
            numbers |= {"beta1": 0.9, "beta2": 0.999}
        settings = getattr(levanter.optim, f"{name}Config")(**numbers, **CONSTANT, **fixed)
        return walked(*stepped_by_levanter(settings, START))(gradients)

    return measure


def turn(settings, weight, warmup, steps=200):
    """Return 1 - cos of the angle that noise beside the weights turns them by, after a warm-up."""
    noise = np.random.default_rng(3)
    step, look = stepped_by_levanter(settings, weight.astype("float32"))
    before = look()
    for count in range(warmup + steps):
        w = look()
        before = w if count == warmup else before
        gradient = noise.normal(size=w.shape)
        step(gradient - w * np.vdot(gradient, w) / np.vdot(w, w))
    w = look()
    return 1 - np.vdot(w, before) / np.sqrt(np.vdot(w, w) * np.vdot(before, before))


def turned():
    """Return by how much AdamH turns a matrix, and AdamW at its equilibrium, in 200 steps."""
    from levanter.optim import AdamConfig, AdamHConfig

    lr, decay = 0.01, 0.1
    matrix = np.random.default_rng(5).normal(size=(100, 100))
    numbers = {"learning_rate": lr, "weight_decay": decay, "default_weight_decay_mask": False}
    constrained = float(np.sqrt(2 * lr * decay * 0.1 / 1.9))
    plain = AdamConfig(beta1=0.9, **numbers, **CONSTANT)
    found = {"lr": lr, "weight_decay": decay, "learning_rate": constrained}
    found["adamw"] = turn(plain, matrix * np.sqrt(lr / (2 * decay)), 1500)
    for each, rate in (("adamh", constrained), ("rule_of_thumb", float(np.sqrt(lr * decay)))):
        found[each] = turn(AdamHConfig(learning_rate=rate, **CONSTANT), matrix, 300)
    return {"turned": found}


def muonh_by_default():
    """Return MuonH's path with the coefficients that it has by default."""
    from measure import noise

    return {"by_default": levanter("MuonH")(noise)}


ADAMH, MUONH = levanter("AdamH"), levanter("MuonH", coefficient_type="simple")
ADAMH.beside, MUONH.beside = turned, muonh_by_default


def google_lion(value, _):
    """Return google/automl's Lion for optax."""
    module = loaded("google/automl", "lion/lion_optax.py")
    return module.lion(LR, weight_decay=value)


def trax(name, **fixed):
    """Return the measurement of a Trax optimizer, jax.numpy in place of its own dispatch."""

    def measure(gradients=None, value=VALUE):
        import jax.numpy as jnp

        folder = next(Path(each) / "trax" for each in sys.path if (Path(each) / "trax").is_dir())
        stand_in = SimpleNamespace(numpy=jnp)
        sys.modules.update({"trax": MagicMock(fastmath=stand_in), "trax.fastmath": stand_in})
        sys.modules["trax.optimizers"] = MagicMock()
        for each in ("base", name.lower()):
            spec = importlib.util.spec_from_file_location(
                f"trax.optimizers.{each}", folder / "optimizers" / f"{each}.py"
            )
            module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
            setattr(sys.modules["trax.optimizers"], each, module)
            spec.loader.exec_module(module)
        optimizer = getattr(module, name)(LR, weight_decay_rate=value, **fixed)
        weight, numbers = jnp.asarray(START), {}
        slots = optimizer.init(weight)
        numbers = {**optimizer._init_opt_params, "learning_rate": LR}
        count = 0

        def step(gradient):
            nonlocal weight, slots, count
            weight, slots = optimizer.update(count, jnp.asarray(gradient), weight, slots, numbers)
            count += 1

        return walked(step, lambda: np.asarray(weight).astype(float))(gradients)

    measure.names = {"momentum": 0.9}
    return measure


def axlearn(name, **fixed):
    """Return the measurement of an optimizer of AXLearn, whose parameters carry settings."""

    def measure(gradients=None, value=VALUE):
        import jax.numpy as jnp

        absent = ("absl", "tensorflow", "seqio", "jax.experimental.pallas", "cloudpickle")
        module = package("apple/axlearn", "axlearn.common.optimizers", *absent)
        optimizer = getattr(module, name)(LR, weight_decay=value, **fixed)
        weight = jnp.asarray(START)

        def carried():
            settings = {"factorization_spec": None, "weight_decay_scale": None}
            return module.OptParam(value=weight, **settings)

        state = optimizer.init(carried())

        def step(gradient):
            nonlocal weight, state
            updates, state = optimizer.update(jnp.asarray(gradient), state, carried())
            weight = weight + updates

        return walked(step, lambda: np.asarray(weight).astype(float))(gradients)

    measure.names = {"momentum": 0.9}
    return measure


def praxis(gradients=None, value=VALUE):
    """Return the weights after each step of Praxis' SGD with decoupled decay."""
    import jax
    import jax.numpy as jnp

    jax.tree_map = jax.tree.map  # as it was called before JAX 0.4.26
    absent = (
        "absl", "lingvo", "tensorflow", "fiddle", "etils", "orbax", "optax_shampoo", "clu",
        "seqio", "jaxtyping", "einops", "jax.experimental", "praxis.base_layer", "praxis.asserts",
        "praxis.base_hyperparams", "praxis.gshard_utils", "praxis.pax_fiddle", "praxis.pytypes",
        "praxis.schedules",
    )  # fmt: skip
    module = package("", "praxis.optimizers", *absent)
    decay = module.apply_decoupled_weight_decay(lambda _: LR, None, value)
    weight = jnp.asarray(START)
    state = decay.init(weight)

    def step(gradient):
        nonlocal weight, state
        updates, state = decay.update(-LR * jnp.asarray(gradient), state, weight)
        weight = weight + updates

    return walked(step, lambda: np.asarray(weight).astype(float))(gradients)


ADAM = {"b1": 0.9, "b2": 0.999, "eps": EPS}
JAX_STACKS = {
    "optax-sophia": ("optax", "0.2.8", transformed(sophia)),
    "big-vision": ("google-research/big_vision", "0127fb6", transformed(big_vision)),
    "maxtext-adamw": ("AI-Hypercomputer/maxtext", "e591f30", transformed(maxtext)),
    "levanter-adam": ("marin-levanter", "0.2", levanter("Adam")),
    "levanter-adamc": ("marin-levanter", "0.2", levanter("Adam", adamc_weight_decay=True)),
    "levanter-adamh": ("marin-levanter", "0.2", ADAMH),
    "levanter-muonh": ("marin-levanter", "0.2", MUONH),
    "google-lion": ("google/automl", "6a54c87", transformed(google_lion)),
    **{
        f"trax-{name.lower()}": ("trax", "1.4", trax(name, **fixed))
        for name, fixed in (
            ("Adam", {"b1": 0.9, "b2": 0.999, "eps": EPS}),
            ("Momentum", {"mass": 0.9, "nesterov": False}),
            ("Adafactor", {}),
        )
    },
    "axlearn-adamw": ("apple/axlearn", "34aed43", axlearn("adamw_optimizer", **ADAM)),
    "axlearn-adamw-decoupled": (
        "apple/axlearn",
        "34aed43",
        axlearn("adamw_decoupled_optimizer", update_schedule=1.0, **ADAM),
    ),
    "axlearn-lion": ("apple/axlearn", "34aed43", axlearn("lion_optimizer", b1=0.9, b2=0.99)),
    "axlearn-sgd-decoupled": (
        "apple/axlearn",
        "34aed43",
        axlearn("sgd_optimizer", decouple_weight_decay=True, momentum=0.9),
    ),
    "axlearn-adafactor": (
        "apple/axlearn",
        "34aed43",
        axlearn(
            "adafactor_optimizer",
            b1=None,
            b2=0.9,
            multiply_by_parameter_scale=False,
            clipping_threshold=None,
            weight_decay_scale_by_learning_rate_exponent=1,
        ),
    ),
    "praxis-decoupled": ("praxis", "1", praxis),
}
"""Key to package or repository, what its release or commit begins with, and the measurement."""
