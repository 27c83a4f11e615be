"""optax in a plain Python script: its functions, chains and schedules."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read


def script(folder, *lines):
    return read(folder, "train.py", "import optax\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("made", "convention", "value", "lr"),
    [
        ("optax.adamw(1e-3)", "optax-adamw", "0.0001", 1e-3),
        ("optax.adamw(learning_rate=1e-3, weight_decay=0.1)", "optax-adamw", "0.1", 1e-3),
        ("optax.lion(1e-4)", "optax-lion", "0.001", 1e-4),
        ("optax.lars(0.1, 1e-4)", "optax-lars", "1e-4", 0.1),
        ("optax.sgd(0.1)", "optax-sgd", "0", 0.1),
        ("optax.chain(optax.clip_by_global_norm(1.0), optax.lamb(1e-3, weight_decay=0.02))",
         "optax-lamb", "0.02", 1e-3),
        ("optax.chain(optax.add_decayed_weights(1e-4), optax.sgd(0.1, momentum=0.9))",
         "optax-sgd", "1e-4", 0.1),
        ("optax.chain(optax.add_decayed_weights(weight_decay=1e-4), optax.adam(0.1))",
         "optax-adam-l2", "1e-4", 0.1),
        (("optax.chain(optax.trace(0.9), optax.add_decayed_weights(1e-4),"
          " optax.scale_by_learning_rate(0.1))"), "optax-sgdw", "1e-4", 0.1),
        ("optax.chain(optax.sgd(0.1), optax.add_decayed_weights(1e-4))",
         "optax-decay-after-sgd", "1e-4", 0.1),
        ("optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(1e-4))", None, None, None),
        ("optax.chain(*links, optax.sgd(0.1))", None, None, None),
        ("optax.inject_hyperparams(optax.adamw)(learning_rate=1e-3, weight_decay=0.1)",
         "optax-adamw", "0.1", 1e-3),
        (("optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(0.1),"
          " optax.scale_by_learning_rate(1e-3))"), "optax-adamw", "0.1", 1e-3),
        ("optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(0.1), optax.scale(-1e-3))",
         "optax-adamw", "0.1", 1e-3),
        (("optax.chain(optax.scale_by_lion(), optax.add_decayed_weights(0.1),"
          " optax.scale_by_schedule(optax.constant_schedule(1e-3)), optax.scale(-1))"),
         "optax-lion", "0.1", 1e-3),
        (("optax.chain(optax.add_decayed_weights(1e-4), optax.trace(0.9), optax.scale(-0.1))"),
         "optax-sgd", "1e-4", 0.1),
        (("optax.chain(optax.masked(optax.add_decayed_weights(1e-4), kernels),"
          " optax.sgd(0.1))"), "optax-sgd", "1e-4", 0.1),
        ("optax.chain(optax.adamw(1e-3), optax.scale(0.5))", None, None, None),
        ("optax.chain(optax.adamw(1e-3), f(-0.5))", None, None, None),
        ("optax.chain(optax.sgd(1), optax.scale_by_schedule(f), optax.scale(2))", None, None, None),
    ],
)  # fmt: skip
def test_a_function_or_a_chain(tmp_path, made, convention, value, lr):
    found = script(tmp_path, f"tx = {made}")
    assert (found.kind, found.convention, found.value) == ("python-script", convention, value)
    assert found.run.lr is None if lr is None else float(found.run.lr) == lr


def test_an_lr_that_is_set_anew_in_an_optimizer_s_state_is_open(tmp_path):
    made = "tx = optax.inject_hyperparams(optax.adamw)(learning_rate=1e-3, weight_decay=0.1)"
    changes = ("s.hyperparams['learning_rate'] = f(step)", "a.learning_rate = 3")
    found = script(tmp_path, made, *changes)
    assert (found.run.lr, found.schedule) == (None, None)
    assert "is set anew in line 3" in quantity(found, "lr").note


def test_what_a_mask_leaves_out_of_a_link_is_not_told(tmp_path):
    made = "optax.chain(optax.masked(optax.add_decayed_weights(1e-4), kernels), optax.sgd(0.1))"
    found = script(tmp_path, f"tx = {made}")
    assert found.exempt.rule == "not told: what its mask leaves out (line 2)"


def test_links_that_stand_under_names(tmp_path):
    lines = ("decay = optax.add_decayed_weights(1e-4, mask=kernels)", "sgd = optax.sgd(0.1)",
             "tx = optax.chain(decay, sgd)")  # fmt: skip
    found = script(tmp_path, *lines)
    assert (found.convention, found.value) == ("optax-sgd", "1e-4")
    assert found.exempt.rule == "not told: what its mask leaves out (line 2)"


@pytest.mark.parametrize(
    "made",
    [
        "optax.masked(optax.adamw(0.1), kernels)", "optax.masked(a, kernels)",
        "optax.partition({'x': a, 'y': optax.set_to_zero()}, labels)",
        "optax.multi_transform({'x': optax.chain(optax.adamw(0.1))}, labels)",
    ],
)  # fmt: skip
def test_an_optimizer_of_some_tensors(tmp_path, made):
    held = "a = optax.adamw(0.1)" if "a," in made else ""
    found = script(tmp_path, f"{held}\ntx = {made}")
    assert (found.value, found.exempt.mask) == ("0.0001", None)
    assert script(tmp_path, f"{held}\ntx = {made.replace('optax.', 'optax.x_', 1)}")


@pytest.mark.parametrize("made", ["optax.chain(optax.clip(1.0))", "optax.scale(0.1)"])
def test_what_decays_and_steps_nothing_is_none(tmp_path, made):
    with pytest.raises(UnreadableFileError):
        script(tmp_path, f"tx = {made}")


@pytest.mark.parametrize(
    ("rate", "schedule", "lr"),
    [
        ("optax.constant_schedule(0.1)", "constant", 0.1),
        ("optax.constant_schedule(value=0.1)", "constant", 0.1),
        ("optax.cosine_decay_schedule(0.1, 500, alpha=0.1)", "cosine:length=500,final=0.1", 0.1),
        ("optax.linear_schedule(0.1, 0.01, 500)", "linear:length=500,final=0.1", 0.1),
        ("optax.warmup_cosine_decay_schedule(0.0, 0.1, 50, 500)",
         "cosine:warmup=50,length=500", 0.1),
        ("optax.warmup_cosine_decay_schedule(0.01, 0.1, 50, 500, 0.001)",
         "cosine:warmup=50,start=0.1,length=500,final=0.01", 0.1),
        ("optax.warmup_cosine_decay_schedule(0.0, 0.1, 0, 500)", "cosine:length=500", 0.1),
        ("optax.cosine_decay_schedule(0.1, 500, exponent=2.0)", None, 0.1),
        ("optax.linear_schedule(0.1, 0.0, 500, 5)", None, 0.1),
        ("optax.cosine_decay_schedule(0.1, n)", None, 0.1),
        ("optax.warmup_cosine_decay_schedule(0.0, 0.1, w, 500)", None, 0.1),
        ("optax.linear_schedule(0.1, end, 500)", None, 0.1),
        ("optax.cosine_decay_schedule()", None, None),
        ("optax.join_schedules([a, b], [10])", None, None),
        ("lambda step: 0.1", None, None),
    ],
)  # fmt: skip
def test_a_schedule_as_learning_rate(tmp_path, rate, schedule, lr):
    found = script(tmp_path, f"rate = {rate}", "tx = optax.adamw(rate)")
    assert found.schedule == schedule
    assert found.run.lr is None if lr is None else float(found.run.lr) == lr


def test_what_makes_a_step_of_several_batches(tmp_path):
    lines = ("tx = optax.MultiSteps(optax.adamw(1e-3), every_k_schedule=4)", "f = jax.pmap(step)")
    found = script(tmp_path, "import jax", *lines)
    assert {"grad_accum", "world_size"} <= set(found.missing)
    assert "MultiSteps" in quantity(found, "grad_accum").note
