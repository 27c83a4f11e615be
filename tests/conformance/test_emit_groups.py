"""Code with groups is run by its framework: each tensor has its own lr and decay, step by step."""

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.emit.code import emit
from decaycalc.schedule import parse_schedule
from decaycalc.training.chosen import typed
from decaycalc.training.groups import by_pattern

STEPS = 10
RUN = Run(lr="0.01", steps=STEPS)
RULES = ("adapter:lr*16,wd=0.2", "table:wd=0", "head:lr=0", "bias:lr*2")
# Each tensor's lr and decay by these rules, at lr 0.01 and decay 0.1.
OWN = {"body": (0.01, 0.1), "adapter": (0.16, 0.2), "table": (0.01, 0.0), "head": (0.0, 0.0)}
COURSES = [(None, None), ("cosine", None), ("cosine", "cosine:final=10")]


def code_of(framework, source, *, schedule=None, decay_schedule=None, rules=RULES):
    training = typed(value="0.1", source=find(source), run=RUN)
    return emit(
        framework, "0.1", source=source, run=RUN, schedule=schedule,
        decay_schedule=decay_schedule, groups=by_pattern(training, rules),
    ).code  # fmt: skip


def left(lr, decay, schedule, decay_schedule):
    """Return what is left of a weight without a gradient, step by step."""
    steps = np.arange(STEPS, dtype=float)
    courses = [
        np.ones(STEPS) if text is None
        else parse_schedule(text, total_steps=STEPS).multiplier(steps)
        for text in (schedule, decay_schedule)
    ]  # fmt: skip
    return float(np.prod(1 - lr * courses[0] * decay * courses[1]))


def check(record, package, found, courses, tolerance):
    worst = 0.0
    for name, (lr, decay) in OWN.items():
        expected = left(lr, decay, *courses)
        worst = max(worst, abs(float(found[name]) / expected - 1))
    assert found["bias"] == pytest.approx(1.0)
    record(package, worst)
    assert worst <= tolerance


@pytest.mark.parametrize(("schedule", "decay_schedule"), COURSES)
@pytest.mark.parametrize("source", ["pytorch-adamw", "pytorch-sgd"])
def test_optax_steps_each_group_by_its_own(source, schedule, decay_schedule, record):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", val=True)
    params = {name: {"kernel": jax.numpy.ones((2, 2), dtype="float64")} for name in OWN}
    params["body"]["bias"] = jax.numpy.ones(2, dtype="float64")
    scope = {"params": params}
    code = code_of("optax", source, schedule=schedule, decay_schedule=decay_schedule)
    exec(code, scope)  # noqa: S102  (our own snippet is what is tested)
    optimizer = scope["optimizer"]
    state, still = optimizer.init(params), jax.tree.map(jax.numpy.zeros_like, params)
    for _ in range(STEPS):
        updates, state = optimizer.update(still, state, params)
        params = optax.apply_updates(params, updates)
    found = {name: params[name]["kernel"][0, 0] for name in OWN}
    found["bias"] = params["body"]["bias"][0]
    check(record, "optax", found, (schedule, decay_schedule), 1e-6)


@pytest.mark.parametrize(("schedule", "decay_schedule"), COURSES)
def test_keras_steps_each_group_by_its_own(schedule, decay_schedule, record):
    keras = pytest.importorskip("keras")
    found = keras_run(keras, "pytorch-adamw", schedule, decay_schedule)
    check(record, "keras", found, (schedule, decay_schedule), 1e-5)


@pytest.mark.parametrize("schedule", [None, "cosine"])
def test_keras_penalises_each_group_by_its_own(schedule, record):
    keras = pytest.importorskip("keras")
    found = keras_run(keras, "pytorch-sgd", schedule, None)
    check(record, "keras", found, (schedule, None), 1e-5)


def keras_run(keras, source, schedule, decay_schedule):
    layers = [
        keras.layers.Dense(2, name=name, use_bias=name == "body", kernel_initializer="ones",
                           bias_initializer="ones") for name in OWN
    ]  # fmt: skip
    model = keras.Sequential([keras.Input((2,)), *layers])
    scope = {"model": model}
    code = code_of("keras", source, schedule=schedule, decay_schedule=decay_schedule)
    exec(code, scope)  # noqa: S102
    optimizer, variables = scope["optimizer"], model.trainable_variables
    optimizer.build(variables)
    for _ in range(STEPS):
        # A penalty's gradient is 2·l2·w; every l2 is Keras' own regulariser's.
        gradients = [
            variable * 0 if variable.regularizer is None
            else 2 * variable.regularizer.l2 * variable.value
            for variable in variables
        ]  # fmt: skip
        optimizer.apply(gradients, variables)
    found = {layer.name: keras.ops.convert_to_numpy(layer.kernel)[0, 0] for layer in layers}
    return found | {"bias": keras.ops.convert_to_numpy(layers[0].bias)[0]}


def test_the_trainers_optimizer_has_the_groups(record, monkeypatch, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    monkeypatch.chdir(tmp_path)
    model = torch.nn.Module()
    for name in OWN:
        setattr(model, name, torch.nn.Linear(2, 2, bias=name == "body"))
        torch.nn.init.ones_(getattr(model, name).weight)
    torch.nn.init.ones_(model.body.bias)
    scope = {"model": model}
    exec(code_of("hf", "pytorch-adamw", schedule="linear"), scope)  # noqa: S102
    trainer = scope["GroupedTrainer"](model=model, args=scope["arguments"])
    trainer.create_optimizer_and_scheduler(num_training_steps=STEPS)
    for _ in range(STEPS):
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    found = {name: getattr(model, name).weight[0, 0].item() for name in OWN}
    found["bias"] = model.body.bias[0].item()
    check(record, "transformers", found, ("linear", None), 1e-5)


def test_timms_optimizer_steps_each_group_by_its_own(record):
    torch, optim = pytest.importorskip("torch"), pytest.importorskip("timm.optim")
    model = torch.nn.Module()
    for name in OWN:
        setattr(model, name, torch.nn.Linear(2, 2, bias=name == "body"))
        torch.nn.init.ones_(getattr(model, name).weight)
    torch.nn.init.ones_(model.body.bias)
    scope = {"model": model}
    exec(code_of("timm", "pytorch-adamw", schedule="linear"), scope)  # noqa: S102
    assert isinstance(scope["optimizer"], type(optim.create_optimizer_v2(model, "adamw")))
    for _ in range(STEPS):
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        scope["optimizer"].step()
        scope["scheduler"].step()
    found = {name: getattr(model, name).weight[0, 0].item() for name in OWN}
    found["bias"] = model.body.bias[0].item()
    check(record, "timm", found, ("linear", None), 1e-5)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
@pytest.mark.parametrize(("framework", "rules"), [("pytorch", ()), ("timm", ("head:lr*1",))])
def test_the_mask_timm_sorts_a_model_as_timm_does(name, framework, rules):
    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    optim = pytest.importorskip("timm.optim")
    with torch.device("meta"):
        model = timm.create_model(name)
    training = typed(value="0.1", source=find("pytorch-adamw"), run=RUN)
    code = emit(
        framework, "0.1", source="pytorch-adamw", run=RUN, mask="timm",
        groups=by_pattern(training, rules),
    ).code  # fmt: skip
    scope = {"model": model}
    exec(code, scope)  # noqa: S102
    real = optim.create_optimizer_v2(model, "adamw", lr=0.01, weight_decay=0.1)
    assert exempt_in(scope["optimizer"]) == exempt_in(real)
    assert len(exempt_in(real)) > len([p for p in model.parameters() if p.ndim <= 1])


def exempt_in(optimizer):
    groups = optimizer.param_groups
    return {id(w) for group in groups if not group["weight_decay"] for w in group["params"]}


@pytest.mark.parametrize(
    "schedule", [None, "constant:warmup=4", "linear:warmup=4", "cosine:warmup=4"]
)
@pytest.mark.parametrize("source", ["pytorch-adamw", "pytorch-sgd"])
def test_deepspeed_steps_each_group_by_its_own(source, schedule, record, monkeypatch):
    torch, deepspeed = pytest.importorskip("torch"), pytest.importorskip("deepspeed")
    told = {"MASTER_ADDR": "127.0.0.1", "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
    for name, value in {**told, "MASTER_PORT": "29519", "DS_ACCELERATOR": "cpu"}.items():
        monkeypatch.setenv(name, value)
    model = torch.nn.Module()
    for name in OWN:
        setattr(model, name, torch.nn.Linear(2, 2, bias=name == "body"))
        torch.nn.init.ones_(getattr(model, name).weight)
    torch.nn.init.ones_(model.body.bias)
    model.forward = lambda x: sum(getattr(model, name)(x).sum() for name in OWN)
    run = Run(lr="0.01", steps=STEPS, batch_size="1", world_size="1")
    training = typed(value="0.1", source=find(source), run=run)
    code = emit("deepspeed", "0.1", source=source, run=run, schedule=schedule,
                groups=by_pattern(training, RULES)).code  # fmt: skip
    # FusedAdam needs a GPU; torch's class takes the same groups.
    code = code.replace(
        "engine, optimizer",
        'if "Adam" in config["optimizer"]["type"]:\n    '
        'config["optimizer"]["params"]["torch_adam"] = True\nengine, optimizer',
    )
    scope = {"model": model}
    exec(code, scope)  # noqa: S102
    engine, lrs = scope["engine"], []
    assert isinstance(engine, deepspeed.DeepSpeedEngine)
    for _ in range(STEPS):
        engine.backward(engine(torch.zeros(1, 2)) * 0)
        lrs.append({group["lr"] for group in engine.optimizer.param_groups})
        engine.step()
    course = np.array([max(each) for each in lrs]) / 0.16  # the adapter's, whose lr is largest
    assert len(set(map(len, lrs[2:-1]))) == 1
    for name, (lr, decay) in OWN.items():
        expected = float(np.prod(1 - lr * course * decay))
        found = float(getattr(model, name).weight[0, 0])
        record("deepspeed", abs(found / expected - 1))
        assert found == pytest.approx(expected, rel=1e-5)
    assert model.body.bias[0].item() == pytest.approx(1.0)
    deepspeed.comm.destroy_process_group()  # what runs after it is not distributed
