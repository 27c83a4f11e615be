"""Measured steps of real libraries against the catalogue, with numpy alone.

Every vector that a record covers is run twice: by the record's own update rule, and by the public
conversion of its number (to PyTorch's SGD or Adam penalty, or to the shrink per step) put into a
step written out here.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Coupling, Follows
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.side import Side
from decaycalc.verification.rules.rule import State, parse_rule

HERE = Path(__file__).parent
ORIGINAL = HERE.parents[2] / "shared" / "conformance" / "vectors.json"
COPY = HERE.parent / "conformance" / "vectors.json"
NUMBERS = ("weight_decay", "l2", "alpha", "weight_decay_rate", "C", "reg_lambda", "lambda_l2")
"""What libraries call their number; the first one in a case is the record's parameter."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Which record covers a library's optimizer, and what that class fixes by itself.

    `flags` names the records of those parameters that choose another one when they are true;
    `borrowed` is the optimizer that trains an objective, where it is not SGD.
    """

    key: str
    extras: dict = field(default_factory=dict)
    flags: dict = field(default_factory=dict)
    borrowed: str | None = None


def routes(library, **keys):
    """Return the routes of one library; `_` in a keyword stands for what Python cannot spell."""
    return {(library, name): Route(key=key) for name, key in keys.items()}


ROUTES = {
    **routes(
        "torch",
        SGD="pytorch-sgd",
        Adam="pytorch-adam",
        AdamW="pytorch-adamw",
        NAdam="pytorch-nadam-decoupled",
        RAdam="pytorch-radam-decoupled",
        Adamax="pytorch-adamax",
        RMSprop="pytorch-rmsprop",
        Adagrad="pytorch-adagrad",
        Adadelta="pytorch-adadelta",
        Adafactor="pytorch-adafactor",
        ASGD="pytorch-asgd",
        Muon="pytorch-muon",
    ),
    ("torch", "Adam(decoupled_weight_decay=True)"): Route(key="pytorch-adam-decoupled"),
    ("torch", "loss += l2*half_sum_sq(w); SGD"): Route(key="mean-half-l2"),
    ("torch", "loss += l2*sum_sq(w); SGD"): Route(key="mean-l2"),
    ("torch", "loss += l2*mean_sq(w); SGD"): Route(key="mean-over-weights-l2"),
    ("torch", "loss += l2*norm(w); SGD"): Route(key="l2-norm"),
    **{
        (library, name): Route(key=f"keras-{name.lower()}")
        for library in ("keras", "tf.keras 2.15")
        for name in (
            "SGD", "Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Adagrad", "Adadelta",
            "Lion", "Adafactor", "Lamb", "Muon",
        )
    },
    ("keras", "Adam(weight_decay)"): Route(key="keras-adam"),
    ("keras", "regularizers.L2 + SGD"): Route(key="keras-l2"),
    ("keras", "regularizers.L2 + Adam"): Route(key="keras-l2", borrowed="keras-adam"),
    ("tensorflow", "keras.regularizers.L2 + SGD"): Route(key="keras-l2"),
    ("tensorflow", "lambda*tf.nn.l2_loss(w) + SGD"): Route(key="tf-l2-loss"),
    ("tf-slim", "l2_regularizer(scale) + SGD"): Route(key="tf-slim-l2"),
    **routes("tensorflow-addons", AdamW="tfa-adamw", SGDW="tfa-sgdw"),
    **routes(
        "optax",
        adamw="optax-adamw",
        nadamw="optax-nadamw",
        adamaxw="optax-adamaxw",
        lion="optax-lion",
        adan="optax-adan",
        ademamix="optax-ademamix",
        muon="optax-muon",
        galore="optax-galore",
        adafactor="optax-adafactor",
        lamb="optax-lamb",
    ),
    ("optax", "chain(add_decayed_weights, sgd)"): Route(key="optax-sgd"),
    ("optax", "chain(add_decayed_weights(schedule), sgd)"): Route(key="optax-sgd"),
    ("optax", "chain(add_decayed_weights, adam)"): Route(key="optax-adam-l2"),
    ("optax", "chain(trace, add_decayed_weights, scale_by_learning_rate)"): Route(
        key="optax-sgdw"
    ),
    ("optax", "chain(sgd, add_decayed_weights)"): Route(key="optax-decay-after-sgd"),
    ("Theano-PyMC", "cost = ... + L2_reg*sum(W**2), SGD"): Route(key="theano-l2"),
    ("adan-pytorch", "Adan"): Route(key="adan-pytorch"),
    **routes(
        "bitsandbytes",
        Adam="bitsandbytes-adam",
        AdamW="bitsandbytes-adamw",
        Lion="bitsandbytes-lion",
        SGD="bitsandbytes-sgd",
    ),
    ("chainer", "SGD + WeightDecay hook"): Route(key="chainer-weight-decay"),
    ("chainer", "MomentumSGD + WeightDecay hook"): Route(key="chainer-weight-decay"),
    ("chainer", "Adam + WeightDecay hook"): Route(
        key="chainer-weight-decay", borrowed="chainer-adamw", extras={"eta": 1.0}
    ),
    ("chainer", "Adam(weight_decay_rate, eta)"): Route(key="chainer-adamw"),
    ("darknet", "connected layer, classifier train"): Route(key="darknet"),
    **routes(
        "fairseq",
        Adam="fairseq-adam",
        Adamax="fairseq-adamax",
        NAG="fairseq-nag",
        Adafactor="fairseq-adafactor",
    ),
    **routes(
        "fastai",
        SGD="fastai-sgd",
        Adam="fastai",
        RMSProp="fastai-rmsprop",
        RAdam="fastai-radam",
        QHAdam="fastai-qhadam",
        Larc="fastai-larc",
        Lamb="fastai-lamb",
    ),
    ("fastai", "SGD.nomom"): Route(key="fastai-sgd"),
    ("fastai", "SGD(decouple_wd=False)"): Route(key="fastai-sgd-l2"),
    **routes(
        "heavyball", AdamW="heavyball-adamw", LaProp="heavyball-laprop", Muon="heavyball-muon"
    ),
    ("lion-pytorch", "Lion"): Route(key="lion-pytorch"),
    ("lion-pytorch", "Lion(decoupled_weight_decay=True)"): Route(key="lion-pytorch-decoupled"),
    **routes(
        "mlx", SGD="mlx-sgd", AdamW="mlx-adamw", Lion="mlx-lion", Adafactor="mlx-adafactor"
    ),
    ("mosaicml (composer)", "DecoupledAdamW"): Route(key="composer-adamw"),
    ("mosaicml (composer)", "DecoupledSGDW"): Route(key="composer-sgdw"),
    **routes("mxnet", SGD="mxnet-sgd", DCASGD="mxnet-dcasgd"),
    ("mxnet", "gluon.Trainer(sgd)"): Route(key="mxnet-sgd"),
    ("mxnet", "contrib.adamw_update"): Route(key="mxnet-adamw"),
    **routes("paddlepaddle", Momentum="paddle-momentum", AdamW="paddle-adamw"),
    ("paddlepaddle", "Adam(weight_decay)"): Route(key="paddle-adam"),
    ("paddlepaddle", "SGD(L2Decay)"): Route(key="paddle-l2decay"),
    ("paddlepaddle", "SGD(float)"): Route(key="paddle-sgd"),
    **{
        ("pytorch_optimizer", name): Route(key=f"pytorch-optimizer-{name.lower()}")
        for name in (
            "AdaBound", "AdaNorm", "DiffGrad", "Grams", "Kate", "LaProp", "Lamb", "PNM", "SGDW",
            "StableAdamW", "TAM",
        )
    },
    ("pytorch_optimizer", "Lion(fixed_decay=True)"): Route(key="pytorch-optimizer-fixed"),
    ("pytorch_optimizer", "AdamP(fixed_decay=True)"): Route(key="pytorch-optimizer-adamp-fixed"),
    **routes("schedulefree", AdamWScheduleFree="schedule-free", SGDScheduleFree="schedule-free"),
    ("scikit-learn", "SGDRegressor"): Route(key="sklearn-sgd"),
    ("scikit-learn", "MLPClassifier"): Route(key="sklearn-mlp-sgd"),
    ("scikit-learn", "MLPRegressor"): Route(key="sklearn-mlp-sgd"),
    **{
        ("timm", f"create_optimizer_v2('{name}') -> {kind}"): Route(key=f"timm-{name}")
        for name, kind in (
            ("adafactor", "Adafactor"), ("adafactorbv", "AdafactorBigVision"), ("adam", "Adam"),
            ("adoptw", "Adopt"), ("kron", "Kron"), ("lamb", "Lamb"), ("lars", "Lars"),
            ("lion", "Lion"), ("nadamw", "NAdamW"),
        )
    },
    ("timm", "AdafactorBigVision"): Route(
        key="timm-adafactorbv",
        flags={
            "unscaled_wd": "timm-adafactorbv-unscaled",
            "corrected_weight_decay": "timm-adafactorbv-corrected",
        },
    ),
    ("transformers", "Adafactor"): Route(
        key="hf-adafactor", flags={"relative_step": "hf-adafactor-relative"}
    ),
    ("timm", "create_optimizer_v2('sgd') -> SGD"): Route(
        key="timm-sgd", extras={"nesterov": True}
    ),
    **{
        ("timm", f"{name}(corrected_weight_decay=True)"): Route(key="timm-corrected")
        for name in ("AdamW", "Lion", "SGDW")
    },
    **routes("tinygrad", SGD="tinygrad-sgd", AdamW="tinygrad-adamw"),
    ("torch-optimizer", "Adafactor"): Route(key="torch-optimizer-adafactor"),
    ("transformers", "AdamW (removed later)"): Route(key="hf-adamw-legacy"),
    ("vowpalwabbit", "--sgd --power_t 0 --l2"): Route(key="vw-sgd"),
}  # fmt: skip

UNCOVERED = {
    "fit": "the data that were fitted are not stored; tests/conformance fits its own",
    "data": "the data that were trained on are not stored; tests/conformance trains on its own",
    "sklearn.SGDClassifier.optimal": "the schedule 'optimal' takes the lr itself from alpha",
    "transformers.Adafactor.scaleparam": "scale_parameter with an lr: the decay is times RMS(w)",
    "torch.AdamW.gradNone": "a parameter without gradient is skipped: there is no step",
}
"""Why a kind of vector, an optimizer's, or a single one is not run."""

NO_DECAY = {"weight_decay": 0.0, "weight_decay_rate": 0.0}
"""What switches the decay of a borrowed optimizer off."""
WITHOUT_CONVERSION = {
    "mxnet.DCASGD.zero": "a delay compensation squares what enters as gradient",
    "sklearn.SGDRegressor.clip": "lr*alpha above 1 is refused: a step would remove all",
    "timm.adoptw.zero": "the first step only fills the state, and decays nothing",
}
"""Why a covered vector is held against the rule alone."""
FIRST_STEP_ONLY = {"pytorch-asgd"}
"""Optimizers that lower their own lr: the stated decay is that of the first step."""
LEAST_COVERED = 288


@cache
def vectors():
    """Return the measured cases, from beside the repository or from the copy in it."""
    return json.loads((ORIGINAL if ORIGINAL.exists() else COPY).read_text())


def record_of(case):
    """Return the record that covers a case, None where there is none."""
    route = ROUTES.get((case["library"], case["optimizer"]))
    if route is None:
        return None
    chosen = [key for flag, key in route.flags.items() if case["params"].get(flag)]
    return known_records().get(chosen[0] if chosen else route.key)


@cache
def known_records():
    """Return the catalogue by key."""
    return {record.key: record for record in conventions()}


def is_covered(case):
    """Return whether a case has what a test needs: a record, and weights to start from."""
    reasons = {case["kind"], case["id"], case["optimizer"]} & set(UNCOVERED)
    return not reasons and record_of(case) is not None


COVERED = [pytest.param(case, id=case["id"]) for case in vectors() if is_covered(case)]


def number_of(case):
    """Return the name and the value (a list under a schedule) of the library's number."""
    name = next(name for name in NUMBERS if name in case["params"])
    return name, case["params"][name]


def settings_of(case):
    """Return what the case says besides its number, by the names that rules use."""
    params = {**case["params"], **ROUTES[case["library"], case["optimizer"]].extras}
    if "wd_mult" in params:
        params["decay_mult"] = params.pop("wd_mult")
    if "betas" in params:
        params["beta1"], params["beta2"] = params["betas"]
    del params[number_of(case)[0]]
    return {k: float(v) for k, v in params.items() if isinstance(v, (int, float))}


def run_of(case, **changes):
    """Return the case's run."""
    names, record = settings_of(case), record_of(case)
    lr = case["params"].get("lr")
    direct = ("momentum", "dampening", "batch_size", "dataset_size")
    if record.is_adaptive:  # theirs is another, or one that the conversion has no use for
        direct = direct[2:]
    fields = {name: names[name] for name in direct if name in names} | changes
    carried = {"eta"} if record.is_penalty else set()
    extras = {name: names[name] for name in RUN_EXTRAS if name in names and name not in carried}
    size = len(case["w0"])
    return Run(
        lr=peak_of(case) if lr is not None else None,
        nesterov=bool(names.get("nesterov")) or None,
        n_weights=size,
        n_layers=1,
        extras=tuple({**extras, "layer_weights": size}.items()),
        **fields,
    )


RUN_EXTRAS = ("lr_mult", "decay_mult", "eta", "wd_ratio", "lambd")
"""Quantities that a case may give and only some records need."""


def peak_of(case):
    """Return the peak lr: the constructor's where it is told, the largest else."""
    lr = case["params"]["lr"]
    peak = max(lr) if isinstance(lr, list) else lr
    return case["params"].get("initial_lr", peak)


def steps_of(case):
    """Yield (entry, lr, value, examples) for each step; an entry may take several steps."""
    _, value = number_of(case)
    params = case["params"]
    batch = params.get("batch_size", 1)
    sizes = [batch]
    if case["kind"] == "factor" and "epochs" in params:  # an entry an epoch, the last batch short
        full, rest = divmod(params["dataset_size"], batch)
        sizes = [batch] * full + [rest] * bool(rest)
    for entry in range(len(case["w_after"])):
        for size in sizes:
            at = [x[entry] if isinstance(x, list) else x for x in (params.get("lr"), value)]
            yield entry, *at, size


def names_for(case, record):
    """Return what the names of the record's rule stand for."""
    side = Side(convention=record, run=run_of(case))
    wanted = parse_rule(record.update).quantities - {record.parameter}
    defaults = {name: side.get(name) for name in wanted}
    known = {name: float(value) for name, value in defaults.items() if value is not None}
    return {**known, **settings_of(case), "lr_peak": peak_of(case) if run_of(case).lr else 1.0}


def gradient_of(case):
    """Return the data gradient, which `maximize` turns round."""
    gradient = np.array(case["data_gradient"])
    return -gradient if case["params"].get("maximize") else gradient


def borrowed_of(case):
    """Return the rule of the optimizer that trains an objective, None where it trains itself."""
    key = ROUTES[case["library"], case["optimizer"]].borrowed
    return parse_rule(find(key).update) if key else None


def by_rule(case):
    """Return the weights after each entry, by the record's update rule."""
    record, borrowed = record_of(case), borrowed_of(case)
    rule, state, w, path = parse_rule(record.update), State(), np.array(case["w0"]), {}
    names, gradient = names_for(case, record), gradient_of(case)
    for entry, lr, value, size in steps_of(case):
        now = {**names, "lr": (lr or 1.0) * names.get("lr_mult", 1), "batch_size_now": size}
        now[record.parameter] = value * names.get("decay_mult", 1)
        if borrowed:
            penalised = rule.descent(w, gradient, names=now)
            w = borrowed.step(state, w, penalised, names={**now, **NO_DECAY})
        else:
            w = rule.step(state, w, gradient, names=now)
        path[entry] = w
    return np.array(list(path.values()))


def follow(record, lr, peak):
    """Return how much of the peak decay acts at an lr."""
    multiplier = (lr / peak) if lr is not None else 1.0
    return {
        Follows.LR: multiplier,
        Follows.MULTIPLIER: multiplier,
        Follows.CONSTANT: 1.0,
        Follows.LR_SQUARED: multiplier**2,
    }[record.follows]


def by_conversion(case):
    """Return the weights after each entry, by the converted number.

    The record's own rule with its number 0 gives the data's part of a step; the decay comes from
    the conversion alone: a penalty `strength*w` in the gradient, or a `shrink` of the weight.
    """
    record = record_of(case)
    rule, state = borrowed_of(case) or parse_rule(record.update), State()
    w, path, gradient = np.array(case["w0"]), {}, gradient_of(case)
    switched_off = {record.parameter: 0.0, "lambd": 0.0, **NO_DECAY}
    is_penalty = record.has_strength and record.coupling == Coupling.COUPLED and not record.form
    for entry, lr, value, size in steps_of(case):
        names = {**names_for(case, record), **switched_off, "batch_size_now": size}
        names["lr"] = (lr or 1.0) * names.get("lr_mult", 1)
        decay = converted(case, record, value, size, to_penalty=is_penalty)
        if is_penalty:
            w = rule.step(state, w, gradient + decay * w, names=names)
        else:
            shrink = decay * follow(record, lr, names["lr_peak"])
            after = rule.step(state, w, gradient, names=names)
            w = shrunk(record, w, after, shrink)
        path[entry] = w
    return np.array(list(path.values()))


def converted(case, record, value, size, *, to_penalty):
    """Return the strength (or the shrink a step) that the library's number converts to."""
    run = run_of(case, batch_size=size) if "batch_size" in case["params"] else run_of(case)
    target = "mean-half-l2" if to_penalty else "per-step-shrink"
    return convert(value, source=record, target=target, run=run).value


def shrunk(record, before, after, shrink):
    """Return the weights after a step and a decay by `shrink`, where the record puts it."""
    if record.proximal:
        return after / (1 + shrink)
    return after * (1 - shrink) if record.decays_after_step else after - shrink * before


def deviation(path, case):
    """Return the largest difference relative to each entry's largest weight."""
    measured = np.array(case["w_after"])
    scale = np.maximum(np.abs(measured).max(axis=1), 1e-300)
    return float(np.max(np.abs(path - measured).max(axis=1) / scale))


@pytest.mark.parametrize("case", COVERED)
def test_the_records_rule_takes_the_measured_steps(case):
    assert deviation(by_rule(case), case) <= case["tolerance"]


CONVERTIBLE = [
    pytest.param(case, id=case["id"])
    for case in vectors()
    if is_covered(case) and record_of(case).refusal is None and case["id"] not in WITHOUT_CONVERSION
]


@pytest.mark.parametrize("case", CONVERTIBLE)
def test_the_converted_number_takes_the_measured_steps(case):
    path = by_conversion(case)
    if record_of(case).key in FIRST_STEP_ONLY:
        case = {**case, "w_after": case["w_after"][:1]}
    assert deviation(path[: len(case["w_after"])], case) <= case["tolerance"]


def test_the_covered_share_does_not_fall():
    assert len(COVERED) >= LEAST_COVERED


def test_every_vector_is_run_or_stands_in_the_table_of_those_that_are_not():
    for case in vectors():
        known = {case["kind"], case["id"], case["optimizer"]} & set(UNCOVERED)
        assert is_covered(case) or known, case["id"]
