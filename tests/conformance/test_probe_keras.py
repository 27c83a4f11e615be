"""probe and inspect on Keras's own optimizers, on whatever backend the process has."""

from inspect import isclass

import pytest

import decaycalc
from decaycalc.training.live.read import training_of

keras = pytest.importorskip("keras")
LR, DECAY, ADAM = 0.01, 0.1, 0.02

# Classes without a number that steps could test, and why: their records say the same.
WITHOUT = {"Ftrl": "rebuilds", "ScheduleFreeAdamW": "average"}


def network():
    layers = [keras.layers.Input((5,)), keras.layers.Dense(4), keras.layers.LayerNormalization()]
    return keras.Sequential(layers)


def classes():
    base = keras.optimizers.Optimizer
    holders = {"LossScaleOptimizer", "MultiOptimizer"}
    return {
        name: kind
        for name, kind in vars(keras.optimizers).items()
        if isclass(kind) and issubclass(kind, base) and kind is not base and name not in holders
    }


def made(kind):
    more = {"adam_weight_decay": ADAM} if kind.__name__ == "Muon" else {}
    optimizer = kind(learning_rate=LR, weight_decay=DECAY, **more)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
    return optimizer


def held(optimizer):
    """Return all that an optimizer holds, and Keras's counts of names."""
    from keras.src.backend.common import global_state

    names = dict(global_state.get_global_attribute("object_name_uids") or {})
    return {**vars(optimizer), "names": names}


@pytest.mark.parametrize("name", sorted(classes()))
def test_every_class_does_what_its_record_says(name):
    model, optimizer = network(), made(classes()[name])
    weights, before = [each.numpy().copy() for each in model.weights], held(optimizer)
    found = decaycalc.probe(optimizer, model)
    kinds = {(each.name, each.n_dims): each for each in found.groups}
    for (group, n_dims), each in kinds.items():
        if group == "exempt":
            assert (each.decay_per_step, each.agreement.agrees) == (0, True), each
        elif name in WITHOUT:
            assert each.agreement.agrees is None
            assert WITHOUT[name] in each.agreement.reason
        else:
            own = ADAM if group == "adam_weight_decay" else DECAY
            assert each.agreement.agrees is True, each
            assert each.decay_per_step == pytest.approx(LR * own, rel=1e-3)
            assert each.measured.no_gradient == 0
        assert each.agreement.convention.startswith("keras-")
        assert n_dims in {1, 2}
    assert {("exempt", 1)} < set(kinds)
    assert held(optimizer) == before
    assert all((one == two.numpy()).all() for one, two in zip(weights, model.weights, strict=True))


def test_a_planted_factor_of_two_is_found():
    class AdamW(keras.optimizers.AdamW):
        def _apply_weight_decay(self, variables):
            super()._apply_weight_decay(variables)
            super()._apply_weight_decay(variables)

    AdamW.__module__ = keras.optimizers.AdamW.__module__
    found = decaycalc.probe(AdamW(learning_rate=LR, weight_decay=DECAY), network())
    assert found.agrees is False
    assert found.groups[0].factor == pytest.approx(2, rel=0.05)  # 1 - (1 - 0.05)**2


def test_a_step_of_a_trained_model_loses_what_probe_says():
    """The user's own model, by its own step with a gradient of zero, after the probe."""
    model, optimizer = network(), made(keras.optimizers.AdamW)
    (matrices,) = [each for each in decaycalc.probe(optimizer, model).groups if each.n_dims == 2]
    share = matrices.decay_per_step
    kernel = model.layers[0].kernel
    before = kernel.numpy().copy()
    optimizer.apply([each * 0 for each in model.trainable_variables], model.trainable_variables)
    assert kernel.numpy() == pytest.approx(before * (1 - share), rel=1e-6)


def test_optimizers_are_found_in_the_catalogue():
    for name, kind in classes().items():
        training = training_of(made(kind), network())
        key = (
            "keras-schedule-free-adamw" if name == "ScheduleFreeAdamW" else f"keras-{name.lower()}"
        )
        assert training.convention == key
        assert float(training.value) == pytest.approx(DECAY)
        decayed = {each.name.rpartition("/")[2]: each.decays for each in training.tensors}
        assert decayed == {"kernel": True, "bias": False, "gamma": True, "beta": False}
