"""Every snippet is run by its framework; its first steps must be those that we predict."""

import argparse
import shlex

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.emit.code import emit
from decaycalc.schedule import parse_schedule
from decaycalc.training.chosen import typed
from decaycalc.training.groups import by_pattern
from decaycalc.verification.rules.rule import State, parse_rule

STEPS = 12
SHAPE = (3, 2)
SGD = Run(lr="0.1", momentum="0.9", batch_size=10, dataset_size=20, epochs=6)
NESTEROV = Run(lr="0.1", momentum="0.9", nesterov=True, batch_size=10, dataset_size=20, epochs=6)
ADAM = Run(lr="0.01", batch_size=10, dataset_size=20, epochs=6)
NOISE = np.random.default_rng(5).normal(size=(STEPS, *SHAPE))
BIAS_NOISE = np.random.default_rng(6).normal(size=(STEPS, SHAPE[1]))
START = np.random.default_rng(7).normal(size=SHAPE)
BIAS = np.array([0.5, -0.25])
SCHEDULES = [None, "cosine:warmup=4,final=0.1", "step:at=3/6,gamma=0.5"]


def predicted(key, value, run, schedule, *, betas=None, steps=STEPS, decay_schedule=None):
    """Return the weights and the biases (which do not decay) after each step, by our rule."""
    record = find(key)
    multipliers = np.ones(steps)
    if schedule:
        plan = parse_schedule(schedule, total_steps=steps, steps_per_epoch=2)
        multipliers = plan.multiplier(np.arange(steps, dtype=float))
    decays = np.ones(steps)
    if decay_schedule:
        plan = parse_schedule(decay_schedule, total_steps=steps, steps_per_epoch=2)
        decays = plan.multiplier(np.arange(steps, dtype=float))
    paths = []
    for start, noise, decay in ((START, NOISE, value), (BIAS, BIAS_NOISE, 0.0)):
        rule, state, w, path = parse_rule(record.update), State(), start, []
        for t in range(steps):
            names = {
                "lr": float(run.get("lr")) * multipliers[t], "lr_peak": float(run.get("lr")),
                "momentum": float(run.get("momentum")), "nesterov": bool(run.nesterov),
                "dampening": 0.0, record.parameter: decay * decays[t],
            }  # fmt: skip
            if betas is not None:
                names |= {"beta1": betas[0], "beta2": betas[1]}
            w = rule.step(state, w, noise[t], names=names)
            path.append(w)
        paths.append(np.array(path))
    return paths


def check(record, package, path, expected, tolerance):
    difference = max(
        float(np.max(np.abs(one - other) / np.max(np.abs(other))))
        for one, other in zip(path, expected, strict=True)
    )
    record(package, difference)
    assert difference <= tolerance


def run_torch(code):
    import torch

    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(torch.tensor(START))
    model.bias = torch.nn.Parameter(torch.tensor(BIAS))
    scope = {"model": model}
    exec(code, scope)  # noqa: S102  (our own snippet is what is tested)
    weights, biases = [], []
    for t in range(STEPS):
        model.weight.grad = torch.tensor(NOISE[t])
        model.bias.grad = torch.tensor(BIAS_NOISE[t])
        scope["optimizer"].step()
        if "scheduler" in scope:
            scope["scheduler"].step()
        weights.append(model.weight.detach().numpy().copy())
        biases.append(model.bias.detach().numpy().copy())
    return np.array(weights), np.array(biases)


TORCH = [
    ("pytorch-sgd", "0.01", SGD, None),
    ("pytorch-sgd", "0.01", NESTEROV, None),
    ("caffe", "0.01", SGD, None),
    ("keras-l2", "0.01", SGD, None),
    ("pytorch-adamw", "0.1", ADAM, ("0.8", "0.9")),
    ("big-vision", "0.001", ADAM, None),
    ("pytorch-adam", "0.1", ADAM, None),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("case", TORCH)
def test_pytorch_runs_its_snippet(case, schedule, record):
    key, value, run, betas = case
    pytest.importorskip("torch")
    snippet = emit("pytorch", value, source=key, run=run, schedule=schedule, betas=betas)
    numbers = None if betas is None else tuple(map(float, betas))
    expected = predicted(snippet.convention.key, snippet.value, run, schedule, betas=numbers)
    check(record, "torch", run_torch(snippet.code), expected, 1e-12)


DECAYS = ["cosine:final=10", "linear:warmup=4", "constant:until=5 + constant:value=0.5"]


@pytest.mark.parametrize("decay_schedule", DECAYS)
@pytest.mark.parametrize("schedule", [None, "cosine:warmup=4,final=0.1"])
@pytest.mark.parametrize("case", TORCH)
def test_pytorch_sets_its_decay_before_every_step(case, schedule, decay_schedule, record):
    key, value, run, betas = case
    pytest.importorskip("torch")
    snippet = emit(
        "pytorch", value, source=key, run=run, schedule=schedule, betas=betas,
        decay_schedule=decay_schedule,
    )  # fmt: skip
    numbers = None if betas is None else tuple(map(float, betas))
    expected = predicted(
        snippet.convention.key, snippet.value, run, schedule, betas=numbers,
        decay_schedule=decay_schedule,
    )  # fmt: skip
    check(record, "torch", run_torch(snippet.code), expected, 1e-12)


@pytest.mark.parametrize("mask", ["all", "no-bias"])
def test_pytorchs_masks_say_what_decays(mask):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    scope = {"model": model}
    code = emit("pytorch", "0.01", source="pytorch-sgd", run=SGD, mask=mask).code
    exec(code, scope)  # noqa: S102
    decayed = sum(
        len(group["params"]) for group in scope["optimizer"].param_groups if group["weight_decay"]
    )
    assert decayed == {"all": 4, "no-bias": 2}[mask]


def test_pytorch_steps_each_group_by_its_own_lr_and_decay():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 3, bias=False), torch.nn.Linear(3, 2, bias=False)
    )
    scope, start = {"model": model}, [weight.detach().clone() for weight in model.parameters()]
    training = typed(value="0.1", source=find("pytorch-adamw"), run=ADAM)
    code = emit(
        "pytorch", "0.1", source="pytorch-adamw", run=ADAM, schedule="cosine",
        decay_schedule="cosine:final=10", groups=by_pattern(training, ("^1:lr*16,wd=0.2",)),
    ).code  # fmt: skip
    exec(code, scope)  # noqa: S102
    expected = [1.0, 1.0]
    for t in range(STEPS):
        for weight in model.parameters():
            weight.grad = torch.zeros_like(weight)
        scope["optimizer"].step()
        scope["scheduler"].step()
        half = (1 + np.cos(np.pi * t / STEPS)) / 2
        decay = half + 10 * (1 - half)
        expected[0] *= 1 - 0.01 * half * 0.1 * decay
        expected[1] *= 1 - 0.16 * half * 0.2 * decay
    for weight, before, left in zip(model.parameters(), start, expected, strict=True):
        assert torch.allclose(weight, before * left, rtol=1e-5)


def run_keras(code):
    keras = pytest.importorskip("keras")
    keras.backend.set_floatx("float64")
    try:
        layer = keras.layers.Dense(SHAPE[1], name="dense")
        model = keras.Sequential([keras.Input((SHAPE[0],)), layer])
        layer.kernel.assign(START)
        layer.bias.assign(BIAS)
        scope = {"model": model}
        exec(code, scope)  # noqa: S102
        optimizer = scope["optimizer"]
        variables = [layer.kernel, layer.bias]
        optimizer.build(variables)
        weights, biases = [], []
        for t in range(STEPS):
            gradients = [NOISE[t], BIAS_NOISE[t]]
            for place, variable in enumerate(variables):
                if variable.regularizer is not None:
                    # The penalty's gradient, from Keras' own regulariser by central difference.
                    penalty = variable.regularizer
                    value = keras.ops.convert_to_numpy(variable)
                    scale = float(penalty(value)) / float(np.sum(value**2))
                    gradients[place] = gradients[place] + 2 * scale * value
            optimizer.apply(
                [keras.ops.convert_to_tensor(g, dtype="float64") for g in gradients], variables
            )
            weights.append(keras.ops.convert_to_numpy(layer.kernel).copy())
            biases.append(keras.ops.convert_to_numpy(layer.bias).copy())
    finally:
        keras.backend.set_floatx("float32")
    return np.array(weights), np.array(biases)


KERAS = [
    ("pytorch-sgd", "0.01", SGD, None, "caffe"),
    ("pytorch-sgd", "0.01", NESTEROV, None, "caffe"),
    ("pytorch-adamw", "0.1", ADAM, ("0.8", "0.9"), "keras-adamw"),
    ("big-vision", "0.001", ADAM, None, "keras-adamw"),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("case", KERAS)
def test_keras_runs_its_snippet(case, schedule, record):
    key, value, run, betas, rule = case
    snippet = emit("keras", value, source=key, run=run, schedule=schedule, betas=betas)
    decay = snippet.value * 2 if rule == "caffe" else snippet.value
    numbers = None if betas is None else tuple(map(float, betas))
    expected = predicted(rule, decay, run, schedule, betas=numbers)
    # Keras keeps its hyper-parameters in float32 whatever the weights are.
    check(record, "keras", run_keras(snippet.code), expected, 2e-6)


@pytest.mark.parametrize("decay_schedule", DECAYS)
@pytest.mark.parametrize("case", [case for case in KERAS if case[-1] == "keras-adamw"])
def test_keras_sets_its_decay_before_every_step(case, decay_schedule, record):
    key, value, run, betas, rule = case
    snippet = emit(
        "keras", value, source=key, run=run, schedule="cosine", betas=betas,
        decay_schedule=decay_schedule,
    )  # fmt: skip
    numbers = None if betas is None else tuple(map(float, betas))
    expected = predicted(
        rule, snippet.value, run, "cosine", betas=numbers, decay_schedule=decay_schedule
    )
    check(record, "keras", run_keras(snippet.code), expected, 2e-6)


def run_optax(code):
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", val=True)
    scope = {}
    exec(code, scope)  # noqa: S102
    params = {"dense": {"kernel": jax.numpy.array(START), "bias": jax.numpy.array(BIAS)}}
    optimizer = scope["optimizer"]
    state = optimizer.init(params)
    weights, biases = [], []
    for t in range(STEPS):
        grads = {"dense": {"kernel": jax.numpy.array(NOISE[t]),
                           "bias": jax.numpy.array(BIAS_NOISE[t])}}  # fmt: skip
        updates, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        weights.append(np.array(params["dense"]["kernel"]))
        biases.append(np.array(params["dense"]["bias"]))
    return np.array(weights), np.array(biases)


OPTAX = [
    ("pytorch-sgd", "0.01", SGD, None),
    ("pytorch-sgd", "0.01", NESTEROV, None),
    ("pytorch-adamw", "0.1", ADAM, ("0.8", "0.9")),
    ("optax-lion", "0.1", ADAM, ("0.9", "0.99")),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("case", OPTAX)
def test_optax_runs_its_snippet(case, schedule, record):
    key, value, run, betas = case
    snippet = emit("optax", value, source=key, run=run, schedule=schedule, betas=betas)
    numbers = None if betas is None else tuple(map(float, betas))
    expected = predicted(snippet.convention.key, snippet.value, run, schedule, betas=numbers)
    check(record, "optax", run_optax(snippet.code), expected, 1e-7)


@pytest.mark.parametrize("decay_schedule", DECAYS)
@pytest.mark.parametrize("case", OPTAX)
def test_optax_sets_its_decay_before_every_step(case, decay_schedule, record):
    key, value, run, betas = case
    snippet = emit(
        "optax", value, source=key, run=run, schedule="cosine", betas=betas,
        decay_schedule=decay_schedule,
    )  # fmt: skip
    numbers = None if betas is None else tuple(map(float, betas))
    expected = predicted(
        snippet.convention.key, snippet.value, run, "cosine", betas=numbers,
        decay_schedule=decay_schedule,
    )  # fmt: skip
    check(record, "optax", run_optax(snippet.code), expected, 1e-7)


def timm_arguments(code):
    """Return a command line's flags as train.py's parser would hold them."""
    words = shlex.split(code.replace("\\\n", " "), comments=True)
    parser = argparse.ArgumentParser()
    for flag, kind in (
        ("opt", str), ("lr", float), ("weight-decay", float), ("momentum", float),
        ("opt-eps", float), ("batch-size", int), ("grad-accum-steps", int), ("sched", str),
        ("epochs", int), ("min-lr", float), ("warmup-epochs", int), ("warmup-lr", float),
        ("cooldown-epochs", int),
    ):  # fmt: skip
        parser.add_argument(f"--{flag}", type=kind)
    parser.add_argument("--opt-betas", type=float, nargs="+")
    parser.add_argument("--sched-on-updates", action="store_true")
    parser.add_argument("--warmup-prefix", action="store_true")
    assert words[:2] == ["python", "train.py"]
    return parser.parse_args(words[2:])


@pytest.mark.parametrize(
    "schedule",
    [None, "cosine:warmup=2epochs,start=0.1,final=0.1",
     "cosine:warmup=2epochs,start=0.1,final=0.1,over=run"],
)  # fmt: skip
@pytest.mark.parametrize(
    "case",
    [
        ("pytorch-sgd", "0.01", SGD, None),
        ("pytorch-sgd", "0.01", NESTEROV, None),
        ("pytorch-adamw", "0.1", ADAM, ("0.8", "0.9")),
    ],
)
def test_timm_runs_its_flags(case, schedule, record):
    key, value, run, betas = case
    torch = pytest.importorskip("torch")
    optim = pytest.importorskip("timm.optim")
    scheduler_module = pytest.importorskip("timm.scheduler")
    snippet = emit("timm", value, source=key, run=run, schedule=schedule, betas=betas)
    args = timm_arguments(snippet.code)
    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(torch.tensor(START))
    model.bias = torch.nn.Parameter(torch.tensor(BIAS))
    settings = {"opt": args.opt, "lr": args.lr, "weight_decay": args.weight_decay}
    if args.momentum is not None:
        settings["momentum"] = args.momentum
    if args.opt_betas is not None:
        settings["betas"] = args.opt_betas
    optimizer = optim.create_optimizer_v2(model, **settings)
    scheduler = None
    if args.sched is not None:
        scheduler, _ = scheduler_module.create_scheduler_v2(
            optimizer, sched=args.sched, num_epochs=args.epochs, min_lr=args.min_lr,
            warmup_lr=args.warmup_lr, warmup_epochs=args.warmup_epochs,
            warmup_prefix=args.warmup_prefix, cooldown_epochs=args.cooldown_epochs,
            step_on_epochs=not args.sched_on_updates, updates_per_epoch=2,
        )  # fmt: skip
        scheduler.step_update(0)
    weights, biases = [], []
    for t in range(STEPS):
        model.weight.grad = torch.tensor(NOISE[t])
        model.bias.grad = torch.tensor(BIAS_NOISE[t])
        optimizer.step()
        if scheduler is not None:
            scheduler.step_update(t + 1)
        weights.append(model.weight.detach().numpy().copy())
        biases.append(model.bias.detach().numpy().copy())
    numbers = None if betas is None else tuple(map(float, betas))
    rule = "pytorch-sgd" if key == "pytorch-sgd" else "pytorch-adamw"
    expected = predicted(rule, snippet.value, run, schedule, betas=numbers)
    check(record, "timm", (np.array(weights), np.array(biases)), expected, 1e-12)


@pytest.mark.parametrize(
    "schedule", [None, "cosine:warmup=4", "linear:warmup=3", "cosine:final=0.1", "linear:final=0.2"]
)
def test_the_trainer_runs_its_arguments(schedule, record, tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    snippet = emit(
        "hf", "0.1", source="pytorch-adamw", run=ADAM, schedule=schedule, betas=("0.8", "0.9")
    )
    scope = {}
    exec(snippet.code.replace('"output"', repr(str(tmp_path))), scope)  # noqa: S102
    arguments = scope["arguments"]
    arguments.use_cpu = True
    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(torch.tensor(START))
    model.bias = torch.nn.Parameter(torch.tensor(BIAS))
    trainer = transformers.Trainer(model=model, args=arguments)
    trainer.create_optimizer_and_scheduler(num_training_steps=STEPS)
    weights, biases = [], []
    for t in range(STEPS):
        model.weight.grad = torch.tensor(NOISE[t])
        model.bias.grad = torch.tensor(BIAS_NOISE[t])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
        weights.append(model.weight.detach().numpy().copy())
        biases.append(model.bias.detach().numpy().copy())
    expected = predicted("pytorch-adamw", snippet.value, ADAM, schedule, betas=(0.8, 0.9))
    check(record, "transformers", (np.array(weights), np.array(biases)), expected, 1e-12)


def test_scikit_learn_fits_its_logistic_snippet(record):
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(11)
    inputs = rng.normal(size=(200, 3))
    targets = (inputs @ [1.0, -2.0, 0.5] + rng.normal(size=200) > 0).astype(int)
    run = Run(lr="0.1", batch_size=10, dataset_size=200)
    snippet = emit("sklearn", "0.05", source="mean-half-l2", run=run, target="sklearn-logistic")
    scope = {}
    exec(snippet.code, scope)  # noqa: S102
    estimator = scope["estimator"].set_params(tol=1e-10, max_iter=10_000)
    estimator.fit(inputs, targets)
    w, b = estimator.coef_[0], estimator.intercept_
    share = 1 / (1 + np.exp(-(inputs @ w + b)))
    gradient = inputs.T @ (share - targets) / 200 + 0.05 * w
    deviation = float(np.max(np.abs(gradient)))
    record("scikit-learn", deviation)
    assert deviation < 1e-6


def test_scikit_learns_network_decays_as_the_snippet_says(record):
    pytest.importorskip("sklearn")
    snippet = emit("sklearn", "0.01", source="pytorch-sgd", run=SGD)
    scope = {}
    exec(snippet.code, scope)  # noqa: S102
    estimator = scope["estimator"].set_params(
        hidden_layer_sizes=(), max_iter=1, shuffle=False, random_state=0, n_iter_no_change=100
    )
    inputs, targets = np.zeros((20, 3)), np.array([0, 1] * 10)
    estimator.partial_fit(inputs, targets, classes=[0, 1])
    before = estimator.coefs_[0].copy()
    buffer = estimator._optimizer.velocities[0].copy()
    estimator.partial_fit(inputs, targets)
    expected = before.copy()
    for _ in range(2):  # two batches of 10; inputs of 0 leave the decay alone
        buffer = 0.9 * buffer - 0.1 * 0.01 * expected
        expected = expected + buffer
    deviation = float(np.max(np.abs(estimator.coefs_[0] / expected - 1)))
    record("scikit-learn", deviation)
    assert deviation < 1e-6


def test_scikit_learns_other_snippets_run():
    pytest.importorskip("sklearn")
    run = Run(lr="0.01", batch_size=10, dataset_size=20, epochs=2)
    inputs, targets = np.arange(40.0).reshape(20, 2), np.array([0, 1] * 10)
    for key, source, value in (
        ("sklearn-sgd", "mean-half-l2", "0.01"),
        ("sklearn-ridge", "mean-half-l2", "0.01"),
        ("sklearn-mlp-adam", "pytorch-adam", "0.01"),
    ):
        snippet = emit("sklearn", value, source=source, run=run, target=key, betas=("0.9", "0.99"))
        scope = {}
        exec(snippet.code, scope)  # noqa: S102
        scope["estimator"].fit(inputs, targets)
