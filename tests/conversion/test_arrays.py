import random
import sys

import numpy as np
import pytest

import decaycalc
from decaycalc import Run, convert
from decaycalc.errors import DecaycalcError

RNG = np.random.default_rng(7)
VALUES = 10 ** RNG.uniform(-6, -1, 500)
SETTING = {"lr": 0.1, "batch_size": 128, "dataset_size": 50000, "epochs": 90}
CLOSE = {"rtol": 1e-12, "atol": 0}


def ulps(one, other):
    """Return the largest distance in units in the last place."""
    return float(np.max(np.abs(np.asarray(one) - other) / np.spacing(np.abs(other))))


def scalars(values, source, target, **quantities):
    """Return what the scalar conversion gives, element by element."""
    arrays = np.broadcast_arrays(values, *quantities.values())
    rows = zip(*(array.ravel() for array in arrays), strict=True)
    made = [
        convert(
            float(row[0]), source=source, target=target,
            **dict(zip(quantities, map(float, row[1:]), strict=True)),
        )
        for row in rows
    ]  # fmt: skip
    shape = arrays[0].shape
    lrs = None if made[0].lr is None else np.reshape([m.lr for m in made], shape)
    return np.reshape([m.value for m in made], shape), lrs


PAIRS = (
    ("caffe", "keras-l2"), ("keras-l2", "sklearn-logistic"), ("pytorch-adamw", "tfa-adamw"),
    ("prior-std", "mean-l2"), ("mean-l2", "prior-std"), ("adamw-normalized", "pytorch-adamw"),
    ("pytorch-adamw", "half-life-steps"), ("pytorch-adamw", "half-life-epochs"),
    ("pytorch-adamw", "per-epoch-factor"), ("pytorch-adamw", "per-run-factor"),
    ("pytorch-adamw", "per-step-factor"), ("sum-l2", "batch-sum-l2"), ("caffe", "per-step-shrink"),
    ("sklearn-logistic", "half-life-steps"), ("tfa-adamw", "ema-timescale-epochs"),
    ("pytorch-adamw", "adamw-normalized"),
)  # fmt: skip


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_array_gives_what_each_of_its_numbers_gives(source, target):
    values = VALUES[:60] + (100 if source == "sklearn-logistic" else 0)
    result = convert(values, source=source, target=target, run=Run(**SETTING))
    expected, _ = scalars(values, source, target, **SETTING)
    np.testing.assert_allclose(result.value, expected, **CLOSE)
    back = convert(result.value, source=target, target=source, run=Run(**SETTING))
    np.testing.assert_allclose(back.value, values, rtol=1e-9)


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        ("pytorch-adamw", "tfa-adamw", ("lr",)),
        ("keras-l2", "sklearn-logistic", ("dataset_size",)),
        ("sum-l2", "batch-sum-l2", ("batch_size", "dataset_size")),
        ("pytorch-sgd", "per-step-shrink", ("lr", "momentum")),
    ],
)
def test_a_product_of_arrays_is_within_a_few_units_of_its_scalars(source, target, names):
    arrays = {
        "lr": 10 ** RNG.uniform(-4, 0, 80),
        "momentum": RNG.uniform(0.5, 0.95, 80),
        "batch_size": RNG.integers(1, 512, 80),
        "dataset_size": RNG.integers(1000, 10**7, 80),
    }
    given = {**{name: SETTING[name] for name in SETTING if name not in names and name != "epochs"},
             **{name: arrays[name] for name in names}}  # fmt: skip
    result = convert(VALUES[:80], source=source, target=target, **given)
    expected, lrs = scalars(VALUES[:80], source, target, **given)
    assert ulps(result.value, expected) <= len(names) + 4
    if lrs is not None:
        assert ulps(result.lr, lrs) <= len(names) + 4


QUANTITIES = {
    "lr": [0.1, 0.2, 0.3], "momentum": [0.0, 0.5, 0.9], "dampening": [0.0, 0.1, 0.5],
    "batch_size": [32, 64, 100], "grad_accum": [1, 2, 4], "world_size": [1, 2, 8],
    "dataset_size": [50000, 60000, 70000], "epochs": [1, 10, 90], "steps": [500, 600, 700],
    "to_lr": [0.1, 0.2, 0.3], "to_momentum": [0, 0.9, 0.5], "to_batch_size": [32, 64, 128],
    "eps": [0, 1e-8, 1e-7], "gradient_rms": [0.1, 0.2, 0.3], "nbs": [64, 128, 64],
    "lr_mult": [1, 2, 3],
}  # fmt: skip


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize(
    ("source", "target"),
    [("sum-l2", "batch-sum-l2"), ("pytorch-sgd", "half-life-epochs"),
     ("caffe", "ema-timescale-run"),
     ("pytorch-adam", "per-step-shrink"), ("yolov5", "per-run-factor")],
)  # fmt: skip
def test_every_quantity_may_be_an_array_and_broadcasts(name, source, target):
    setting = dict(SETTING)
    setting.pop("epochs" if name == "steps" else name, None)
    if "adam" in source and name != "gradient_rms":
        setting["gradient_rms"] = 0.1
    given = {**setting, name: np.array(QUANTITIES[name])}
    values = np.array([[1e-4], [5e-4]])
    try:
        expected, lrs = scalars(values, source, target, **given)
    except DecaycalcError as error:
        with pytest.raises(type(error)):
            convert(values, source=source, target=target, **given)
        return
    result = convert(values, source=source, target=target, **given)
    assert result.value.shape == (2, 3)
    np.testing.assert_allclose(result.value, expected, **CLOSE)
    if lrs is not None:
        np.testing.assert_allclose(np.broadcast_to(result.lr, (2, 3)), lrs, **CLOSE)


@pytest.mark.parametrize(
    "source", ["pytorch-sgd", "mxnet-nag", "keras-sgd-micro-step", "timm-adan"]
)
def test_exact_decay_is_matched_in_one_expression(source):
    given = {"lr": 0.1, "grad_accum": 4, "match": "decay"}
    given |= {} if source == "timm-adan" else {"momentum": 0.9}
    values = [1e-4, 1e-3, 1e-2, 5e-2, 1e-4]
    for target in ("per-step-shrink", "half-life-steps"):
        result = convert(values, source=source, target=target, **given)
        single = [convert(value, source=source, target=target, **given).value for value in values]
        np.testing.assert_allclose(result.value, single, rtol=1e-12)
        back = convert(result.value[:2], source=target, target=source, **given)
        np.testing.assert_allclose(back.value, values[:2], rtol=1e-9)


def test_a_length_given_twice_is_checked_for_each_element():
    given = {"lr": 0.1, "dataset_size": 1000, "batch_size": 10, "epochs": 3}
    result = convert(
        [0.1], source="pytorch-adamw", target="ema-timescale-run", steps=[300, 300], **given
    )
    np.testing.assert_allclose(result.value, [1 / 3, 1 / 3], **CLOSE)


def test_curves_go_to_and_from_inverse_numbers():
    setting = Run(dataset_size=1000, lr=0.1)
    lives = np.array([10.0, 100.0])
    result = convert(lives, source="half-life-steps", target="sklearn-logistic", run=setting)
    expected, _ = scalars(lives, "half-life-steps", "sklearn-logistic", dataset_size=1000, lr=0.1)
    np.testing.assert_allclose(result.value, expected, **CLOSE)


def test_a_proximal_step_goes_to_a_form_element_by_element():
    given = {"source": "timm-adan", "target": "half-life-steps"}
    result = convert([0.01, 0.02], run=Run(lr=0.1), **given)
    expected, _ = scalars(np.array([0.01, 0.02]), "timm-adan", "half-life-steps", lr=0.1)
    assert list(result.value) == list(expected)


def test_the_answer_s_dictionary_is_the_command_s_json(capsys):
    import json

    from decaycalc.cli.main import main

    words = "convert 1e-3 --from mean-l2 --to keras-l2 --lr 0.1 -a 784-300-10 --json"
    assert main(words.split()) == 0
    document = json.loads(capsys.readouterr().out)
    answer = decaycalc.answer(
        "1e-3",
        source="mean-l2",
        targets=["keras-l2"],
        run=Run(lr="0.1"),
        architecture="784-300-10",
    )
    assert json.loads(json.dumps(answer.to_dict())) == {
        name: value
        for name, value in document.items()
        if name not in {"schema", "schema_version", "version", "nearest_recipes"}
    }
    built = decaycalc.parse_architecture("784-300-10")
    assert decaycalc.answer(1e-3, source="mean-l2", architecture=built).penalty is not None


def test_zeros_are_sound_where_the_scalar_takes_them():
    result = convert(np.array([0, 1e-4, 0]), source="caffe", target="keras-l2")
    assert list(result.value) == [0, 5e-5, 0]
    with pytest.raises(DecaycalcError):
        convert(np.array([1e-4, 0]), source="keras-l2", target="sklearn-logistic", dataset_size=10)
    with pytest.raises(DecaycalcError):
        convert(np.array([1e-4, 0]), source="tfa-adamw", target="half-life-steps")


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("target", "name"),
    [("tfa-adamw", "value"), ("tfa-adamw", "lr"), ("half-life-steps", "value"),
     ("pytorch-adam-decoupled", "momentum"), ("tfa-adamw", "to_lr")],
)  # fmt: skip
def test_what_no_number_may_be_no_element_may_be(bad, target, name):
    arrays = {"value": np.full(140_000, 0.1), "lr": np.full(140_000, 0.01)}
    arrays[name] = arrays.get(name, np.full(140_000, 0.5)).copy()
    arrays[name][-2] = bad
    value = arrays.pop("value")
    with pytest.raises(DecaycalcError):
        convert(value, source="pytorch-adamw", target=target, **arrays)


@pytest.mark.parametrize(
    ("value", "quantities", "text"),
    [
        (np.array(["a"]), {}, "must hold numbers"),
        ([], {}, "nothing to convert"),
        ([1, 2], {"lr": [1, 2, 3]}, "do not broadcast"),
        ([1e-300, 1], {"lr": [1e-300, 1e-3]}, "float64"),
        ([0.1, 0.1], {"lr": [-1, -1]}, "positive"),
        ([-0.1, 0.1], {"lr": [-1, 1]}, "positive"),
        ([0.1], {"colour": [1]}, "is none of a run's"),
        ([0.1], {"lr": 0.1, "extras": [1]}, "is none of a run's"),
        ([0.1], {"lr": 0.1, "batch_size": [10], "dataset_size": 5}, "below the 10 examples"),
        (
            [0.1],
            {"lr": 0.1, "batch_size": [10, 20], "grad_accum": 2, "dataset_size": 25},
            "examples",
        ),
        ([0.1], {"lr": 0.1, "grad_accum": [1, 1.5]}, "whole number"),
        ([0.1], {"lr": 0.1, "momentum": [0.5, 0.9]}, "takes no momentum"),
        ([0.1], {"lr": 0.1, "lr_mult": [-1, 1.0]}, "at least 0"),
        (
            [0.1],
            {"lr": 0.1, "steps": [5, 6], "epochs": 3, "dataset_size": 10, "batch_size": 10},
            "contradict",
        ),
        ([0.1], {}, "lr"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(value, quantities, text):
    with pytest.raises(DecaycalcError, match=text):
        convert(value, source="pytorch-adamw", target="tfa-adamw", **quantities)


def test_an_empty_shape_is_refused_and_a_number_stays_a_number():
    with pytest.raises(DecaycalcError, match="nothing to convert"):
        convert(1e-4, source="caffe", target="keras-l2", lr=np.ones((0, 3)))
    assert convert(np.float64(5e-4), source="caffe", target="keras-l2").value == 0.00025
    single = convert(np.array(5e-4), source="caffe", target="keras-l2")
    assert single.value.shape == ()
    assert single.value == 0.00025


def test_a_negative_number_does_not_hide_in_a_square():
    with pytest.raises(DecaycalcError, match="must not be negative"):
        convert([0.1, -0.1], source="prior-std", target="mean-l2", run=Run(dataset_size=100))


def test_layers_have_no_arrays():
    with pytest.raises(DecaycalcError):
        convert([1e-4, 1e-3], source="mean-l2", target="layer-mean-l2")


def test_a_network_s_count_of_weights_is_a_quantity_too():
    counts = np.array([10.0, 20.0])
    result = convert(1e-3, source="mean-over-weights-l2", target="mean-l2", n_weights=counts)
    assert list(result.value) == [1e-4, 5e-5]
    assert (
        convert([1e-3] * 2, source="mean-l2", target="mean-l2", n_weights=[4, 5]).value == 1e-3
    ).all()


def test_one_array_among_the_quantities_makes_an_array():
    lr = np.array([0.1, 0.2])
    result = convert("0.1", source="pytorch-adamw", target="tfa-adamw", lr=lr)
    assert ulps(result.value, [0.01, 0.02]) <= 3
    assert result.to_dict() == {
        "convention": "tfa-adamw", "parameter": "weight_decay",
        "value": result.value.tolist(), "lr": None, "equivalence": result.equivalence.value,
        "formula": "weight_decay = lr·weight_decay(pytorch-adamw)", "note": result.note,
    }  # fmt: skip


def test_a_target_s_lr_is_an_array_where_the_loss_scale_is():
    sizes = np.array([64.0, 128.0])
    run = Run(lr=0.1, dataset_size=1000, loss="mean")
    result = convert(
        [1e-4, 1e-4], source="mean-l2", target="batch-sum-l2", run=run, batch_size=sizes
    )
    assert ulps(result.lr, 0.1 / sizes) <= 3
    assert result.to_dict()["lr"] == result.lr.tolist()
    given = {"run": run, "batch_size": sizes, "to_momentum": [0.5, 0.6]}
    made = convert([1e-4, 1e-4], source="mean-l2", target="batch-sum-l2", **given)
    assert list(made.lr) == [0.1 / 64, 0.1 / 128]


def test_arrays_that_do_not_lie_alike_in_memory_give_the_same():
    value, lr = np.ones((3, 4)).T * 0.1, np.array([[0.1, 0.2, 0.3]])
    result = convert(value, source="pytorch-adamw", target="tfa-adamw", lr=lr)
    np.testing.assert_allclose(result.value, value * lr, rtol=1e-15)


def test_large_arrays_are_worked_on_in_blocks_and_the_first_bad_element_is_named():
    values = np.linspace(1e-5, 1e-2, 200_000)
    found = convert(values, source="caffe", target="keras-l2")
    assert (found.value == values / 2).all()
    values[[140_000, 30_000]] = -2.0, -1.0
    with pytest.raises(DecaycalcError, match=r"-1.* must not be negative"):
        convert(values, source="caffe", target="keras-l2")


def test_powers_and_roots_of_arrays():
    values = np.array([0.1, 0.2])
    result = convert(values, source="prior-std", target="mean-l2", dataset_size=[100.0, 1000.0])
    expected, _ = scalars(values, "prior-std", "mean-l2", dataset_size=np.array([100.0, 1000.0]))
    assert ulps(result.value, expected) <= 5


def test_random_arrays_agree_with_their_elements():
    rng = random.Random(3)  # noqa: S311  (no secrets)
    for _ in range(20):
        names = rng.sample(["lr", "batch_size", "dataset_size", "momentum"], 2)
        choices = {
            "lr": [0.1, 1e-3],
            "batch_size": [1, 64],
            "dataset_size": [64, 1e6],
            "momentum": [0, 0.9],
        }
        given = {
            "lr": 0.1,
            "batch_size": 8,
            "dataset_size": 1000,
            **{n: np.array(choices[n]) for n in names},
        }
        result = convert(VALUES[:2], source="sum-half-l2", target="per-step-shrink", **given)
        expected, _ = scalars(VALUES[:2], "sum-half-l2", "per-step-shrink", **given)
        np.testing.assert_allclose(result.value, expected, rtol=1e-14)


def test_the_package_s_public_names_are_there_and_its_functions_keep_their_names():
    import decaycalc.conversion.convert as _  # noqa: F401  (the submodule of that name)

    assert all(getattr(decaycalc, name) is not None for name in decaycalc.__all__)
    assert set(decaycalc.__all__) <= set(dir(decaycalc))
    assert decaycalc.convert("5e-4", source="caffe", target="keras-l2").value == 0.00025
    assert callable(decaycalc.answer)
    with pytest.raises(AttributeError, match="nonsense"):
        decaycalc.nonsense  # noqa: B018


def test_scalars_import_no_numpy():
    import subprocess

    script = (
        "import sys, decaycalc\n"
        "assert 'decaycalc.convert' not in sys.modules\n"
        "decaycalc.convert(1e-4, source='caffe', target='keras-l2', lr=None)\n"
        "assert 'numpy' not in sys.modules and 'rich' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert decaycalc.__version__


def test_a_form_s_numbers_carry_the_multipliers_of_a_group():
    values = np.array([1e-4, 2e-4])
    for more in ({"decay_mult": 2.0}, {"lr_mult": 2.0}, {"update_share": 0.5}):
        asked = {"source": "pytorch-asgd", "target": "per-step-shrink", "lr": 0.1, **more}
        one_by_one = [convert(float(value), **asked).value for value in values]
        assert convert(values, **asked).value == pytest.approx(one_by_one)


def test_arrays_are_printed_in_one_line():
    found = convert(np.array([1e-4, 3e-4]), source="pytorch-sgd", target="keras-l2")
    assert str(found) == "keras-l2 l2 = 2 numbers, 5e-05 to 0.00015 (exact; l2 = weight_decay/2)"


def test_epochs_follow_from_an_array_of_steps():
    given = {"source": "adamw-normalized", "target": "per-step-shrink"}
    sizes = {"lr": 0.1, "batch_size": 10, "dataset_size": 1000}
    steps = np.array([100, 400])
    found = convert(np.array([0.05, 0.1]), steps=steps, **given, **sizes).value
    alone = [convert(v, steps=n, **given, **sizes).value for v, n in ((0.05, 100), (0.1, 400))]
    np.testing.assert_allclose(found, alone, rtol=1e-12)
