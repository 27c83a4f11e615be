"""probe and inspect on optax's own functions: each does what its record says, or says why not."""

from inspect import signature

import pytest

import decaycalc

optax = pytest.importorskip("optax")
contrib = pytest.importorskip("optax.contrib")
jax = pytest.importorskip("jax")
LR, DECAY, STEPS = 1e-2, 0.1, 100
PARAMS = {"dense": {"bias": jax.numpy.ones(4), "kernel": jax.numpy.ones((5, 4))}}
NUMBERS = ("weight_decay", "weight_decay_rate")

# What steps cannot test, and why: words of the reason that probe gives.
WITHOUT = {
    "cocob": "coin betting", "dadapt_adamw": "step size", "prodigy": "step size", "lamb": "trust",
    "lars": "trust", "dog": "distance", "dowg": "distance", "momo": "'value'",
    "momo_adam": "'value'", "sophia": "obj_fn",
    # Their numbers stand in a function inside another, or the decay acts on an average.
    "novograd": "cannot be read", "schedule_free_adamw": "cannot be read",
    "schedule_free_sgd": "cannot be read",
}  # fmt: skip
OF_OTHERS = {"novograd", "schedule_free_adamw", "schedule_free_sgd"}


def parameters(function):
    try:
        return signature(function).parameters
    except (TypeError, ValueError):
        return {}


def functions():
    for library in (optax, contrib):
        for name in dir(library):
            names = parameters(getattr(library, name))
            number = next((each for each in NUMBERS if each in names), None)
            if number is not None and "learning_rate" in names:
                yield name, getattr(library, name), number


FUNCTIONS = {name: (function, number) for name, function, number in functions()}


def made(name, lr=LR, **more):
    function, number = FUNCTIONS[name]
    return function(learning_rate=lr, **{number: DECAY}, **more)


def matrices(optimizer, params=PARAMS):
    return [each for each in decaycalc.probe(optimizer, params).groups if each.n_dims == 2]


def test_all_functions_with_a_decay_are_here():
    assert len(FUNCTIONS) >= 25
    assert set(WITHOUT) <= set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_does_what_its_record_says(name):
    (found,) = matrices(made(name))
    if name in WITHOUT:
        assert found.agreement.agrees is None
        assert WITHOUT[name] in found.agreement.reason
        return
    assert found.agreement.agrees is True, found
    assert found.agreement.convention == f"optax-{name.replace('_', '-')}"
    assert (found.lr, found.own_weight_decay) == (LR, DECAY)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_inspect_reads_lr_lambda_and_convention(name):
    training = decaycalc.inspect(made(name), PARAMS).training
    if name in OF_OTHERS:
        assert training.convention is None
        assert "decaycalc probe" in training.refusal
        return
    assert training.convention is not None
    assert float(training.value) == DECAY
    assert float(training.run.lr) == LR


def test_masks_labels_and_injected_numbers_are_read():
    def mask(tree):
        return jax.tree.map(lambda leaf: leaf.ndim > 1, tree)

    labels = {"dense": {"bias": "b", "kernel": "a"}}
    for optimizer in (
        optax.adamw(LR, weight_decay=DECAY, mask=mask),
        optax.adamw(LR, weight_decay=DECAY, mask=mask(PARAMS)),
        optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(LR, weight_decay=DECAY, mask=mask)),
        optax.partition({"a": optax.adamw(LR, weight_decay=DECAY), "b": optax.adam(LR)}, labels),
        optax.inject_hyperparams(optax.adamw, static_args="mask")(
            LR, weight_decay=DECAY, mask=mask
        ),
        optax.MultiSteps(optax.adamw(LR, weight_decay=DECAY, mask=mask), 4),
        optax.apply_if_finite(optax.adamw(LR, weight_decay=DECAY, mask=mask), 3),
    ):  # fmt: skip
        found = decaycalc.probe(optimizer, PARAMS)
        shares = {each.n_dims: each.decay_per_step for each in found.groups}
        assert shares == {1: 0, 2: pytest.approx(LR * DECAY)}, optimizer
        assert found.agrees is True
        told = decaycalc.inspect(optimizer, PARAMS).training
        assert {each.name: each.decays for each in told.tensors} == {
            "dense/bias": False, "dense/kernel": True,
        }  # fmt: skip


def test_a_schedule_is_followed_step_by_step():
    schedule = optax.warmup_cosine_decay_schedule(0.0, LR, 10, STEPS)
    found = decaycalc.inspect(made("adamw", schedule), PARAMS, steps=STEPS)
    lrs = [float(schedule(step)) for step in range(STEPS)]
    assert found.groups[0].lrs == pytest.approx(lrs, rel=1e-5, abs=1e-9)
    assert found.figures.sum_shrink == pytest.approx(DECAY * sum(lrs), rel=1e-6)
    assert decaycalc.inspect(made("adamw", schedule), PARAMS).training.missing == ("steps",)
    (probed,) = matrices(made("adamw", schedule))
    assert (probed.agreement.agrees, probed.measured.follows) == (True, "lr")


@pytest.mark.parametrize(("links", "key", "factor"), [
    (lambda: (optax.add_decayed_weights(DECAY), optax.sgd(LR)), "optax-sgd", 1),
    (lambda: (optax.add_decayed_weights(1e-3), optax.sgd(LR, 0.9)), "optax-sgd", 10.01),
    (lambda: (optax.trace(0.9), optax.add_decayed_weights(DECAY),
              optax.scale_by_learning_rate(LR)), "optax-sgdw", 1),
    (lambda: (optax.add_decayed_weights(DECAY), optax.adam(LR)), "optax-adam-l2", None),
    (lambda: (optax.sgd(LR, 0.9), optax.add_decayed_weights(-DECAY)), "optax-decay-after-lr", 1),
    (lambda: (optax.sgd(LR), optax.add_decayed_weights(DECAY)), "optax-decay-after-sgd", -1),
])  # fmt: skip
def test_the_place_of_the_decay_decides(links, key, factor):
    (found,) = matrices(optax.chain(*links()))
    assert found.agreement.convention == key
    assert found.agreement.agrees in {True, None}
    assert found.factor == (None if factor is None else pytest.approx(factor, rel=1e-3))


def twice():
    """Return a transformation that adds a decay of its own."""

    def update(updates, state, params=None):
        return jax.tree.map(lambda u, w: u + DECAY * w, updates, params), state

    return optax.GradientTransformation(lambda _: (), update)


def test_a_planted_factor_of_two_is_found():
    links = (optax.scale_by_adam(), optax.add_decayed_weights(DECAY), twice(), optax.scale(-LR))
    (found,) = matrices(optax.chain(*links))
    assert found.factor == pytest.approx(2)
    told = decaycalc.inspect(optax.chain(*links), PARAMS)
    assert told.figures.shrink == pytest.approx(2 * LR * DECAY)
    assert "cannot be read" in told.training.notes[0]


def test_the_users_parameters_and_jaxs_settings_stay():
    before = jax.tree.map(lambda leaf: leaf.copy(), PARAMS)
    wide = jax.config.jax_enable_x64
    decaycalc.probe(made("adamw"), PARAMS)
    decaycalc.inspect(made("adamw"), PARAMS)
    assert jax.config.jax_enable_x64 == wide
    assert jax.tree.all(jax.tree.map(lambda one, two: bool((one == two).all()), before, PARAMS))
    assert PARAMS["dense"]["bias"].dtype == before["dense"]["bias"].dtype
