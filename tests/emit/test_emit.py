"""Snippets as text: what they say, and that their schedules are ours step by step."""

import ast
import math

import numpy as np
import pytest

from decaycalc.conventions.run import Run
from decaycalc.emit.code import FRAMEWORKS, emit
from decaycalc.emit.schedule import schedule_lines
from decaycalc.errors import (
    ContradictionError,
    InvalidValueError,
    MissingQuantityError,
    NoEquivalentError,
    UnknownNameError,
)
from decaycalc.record import replace
from decaycalc.schedule import parse_schedule

SGD = Run(lr="0.1", momentum="0.9", batch_size=10, dataset_size=20, epochs=50)
ADAM = Run(lr="1e-3", batch_size=10, dataset_size=20, epochs=50)
TEXTS = [
    "constant",
    "constant:value=0.5,warmup=10",
    "linear:warmup=10,final=0.1",
    "linear:initial=2,final=0.5",
    "linear:length=60",
    "linear:length=0,warmup=5",
    "cosine:warmup=10,start=0.1,final=0.1",
    "cosine:exponent=2",
    "cosine:warmup=10,ramp=one,floor=0.3",
    "cosine:warmup=10,ramp=inner",
    "cosine:warmup=5epochs,per=1epochs",
    "cosine:per=1",
    "polynomial:power=4,warmup=10,warmup_power=4",
    "step:at=30/60,gamma=0.1",
    "step:at=30/60,gamma=0.1/0.5,warmup=40",
    "step:every=30,gamma=0.1,initial=0.5",
    "exponential:gamma=0.99",
    "exponential:gamma=0.5,every=20,initial=0.5",
    "inverse:gamma=0.01,power=0.75",
    "inverse-sqrt:warmup=10",
    "inverse-sqrt:timescale=50,initial=0.5",
    "inverse-sqrt",
    "wsd:warmup=10,decay=20,final=0.1",
    "wsd:decay=20,shape=cosine",
    "wsd:decay=20,shape=1-sqrt",
    "wsd:decay=20,shape=exponential,final=0.1",
    "constant:warmup=10,until=30 + cosine:final=0.2,until=80 + constant:value=0.2",
    "linear:until=50 + linear:initial=0.5,per=5",
    "cosine:warmup=20,start=0.01,over=run,per=5",
    "linear:final=0.1,warmup=20,over=run,toward=end",
    "linear:final=0.1,warmup=20,over=run,toward=current,start=0.2,per=10,warmup_per=1",
    "linear:final=0.1,warmup=20,over=run,toward=current,per=10,warmup_per=4",
    "cosine:warmup=20,over=run,toward=product,start=0.2",
    "cosine:warmup=20,over=run,toward=product",
    "exponential:gamma=0.99,over=run,warmup=7,ramp=inner",
    "linear:warmup=20,delay=3,start=0.1",
    "constant:warmup=5,until=30 + cosine:delay=2,counts=one",
    "constant:warmup=20,ramp=log,warmup_power=2",
    "constant:warmup=20,per=2,ramp=log,until=40 + cosine:warmup=9,ramp=log",
    "cosine_warmup_with_min_lr:warmup=10,final=0.1",
    "warmup_stable_decay:warmup=10,final=0.1",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_schedules_code_is_the_schedule(text):
    schedule = parse_schedule(text, total_steps=100, steps_per_epoch=2)
    body = "\n".join(f"    {line}" for line in schedule_lines(schedule, xp="np"))
    scope = {"np": np, "math": math}
    exec(f"def multiplier(step):\n{body}\n", scope)  # noqa: S102  (our own text is what is tested)
    steps = np.arange(100, dtype=float)
    assert np.allclose(scope["multiplier"](steps), schedule.multiplier(steps), rtol=1e-12, atol=0)
    for step in (0, 7, 33, 99):
        assert float(scope["multiplier"](step)) == pytest.approx(
            float(schedule.multiplier(np.array([float(step)]))[0]), rel=1e-12
        )


@pytest.mark.parametrize("text", ["one-cycle", "cosine-restarts:cycles=2", "cosine:after=mirror"])
def test_a_schedule_without_short_code_is_refused(text):
    schedule = parse_schedule(text, total_steps=100)
    with pytest.raises(InvalidValueError, match="short form"):
        schedule_lines(schedule, xp="np")


SOURCES = {
    "pytorch": ("pytorch-sgd", SGD),
    "keras": ("pytorch-sgd", SGD),
    "optax": ("pytorch-sgd", SGD),
    "timm": ("pytorch-sgd", SGD),
    "hf": ("pytorch-adamw", ADAM),
    "hf-trainer": ("pytorch-adamw", ADAM),
    "axolotl": ("pytorch-sgd", SGD),
    "llama-factory": ("pytorch-adamw", ADAM),
    "torchtune": ("pytorch-adamw", ADAM),
    "deepspeed": ("pytorch-sgd", SGD),
    "ultralytics": ("pytorch-adamw", ADAM),
    "sklearn": ("pytorch-sgd", SGD),
}
# A trainer's file holds the whole run: a schedule that it cannot say is refused.
SCHEDULES = {
    "torchtune": "cosine:warmup=10",
    "ultralytics": "linear:final=0.01,over=run,per=1epochs",
}


@pytest.mark.parametrize("schedule", [None, "cosine:warmup=10epochs"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_has_its_snippet(framework, schedule):
    source, run = SOURCES[framework]
    schedule = schedule and SCHEDULES.get(framework, schedule)
    snippet = emit(framework, "1e-3", source=source, run=run, schedule=schedule)
    said = snippet.notes[0] if framework == "deepspeed" else snippet.code  # JSON has no comment
    assert said.removeprefix("# ").startswith(f"weight_decay 0.001 of {source} is ")
    assert snippet.code.endswith("\n")
    assert repr(snippet.value) in snippet.code
    assert repr(snippet.lr) in snippet.code
    assert max(map(len, snippet.code.splitlines()[1:])) <= 100
    if framework in {"pytorch", "keras", "optax", "hf", "sklearn"}:
        assert undefined(snippet.code) <= {"model"}


def undefined(code):
    """Return the names that a snippet reads and neither imports nor makes."""
    nodes = list(ast.walk(ast.parse(code)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            made |= {(entry.asname or entry.name).partition(".")[0] for entry in node.names}
    builtins = {"float", "len"}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - made - builtins


@pytest.mark.parametrize(
    ("framework", "source", "run", "parts"),
    [
        ("pytorch", "caffe", SGD, ["torch.optim.SGD(", "momentum=0.9"]),
        ("pytorch", "keras-l2", SGD, ["0.002", "identical"]),
        ("pytorch", "pytorch-adam", ADAM, ["torch.optim.Adam("]),
        ("pytorch", "adamw-paper", ADAM, ["torch.optim.AdamW(", "1.0"]),
        ("pytorch", "per-step-shrink", ADAM, ["torch.optim.AdamW("]),
        ("keras", "pytorch-adamw", ADAM, ["keras.optimizers.AdamW(", "exclude_from_weight_decay"]),
        ("keras", "pytorch-adam", ADAM, ["keras.optimizers.Adam(", "regularizers.L2(0.0005)"]),
        ("keras", "optax-lion", ADAM, ["keras.optimizers.Lion("]),
        ("optax", "pytorch-adamw", ADAM, ["optax.adamw(", "mask=decay_mask"]),
        ("optax", "optax-lion", ADAM, ["optax.lion("]),
        ("timm", "pytorch-sgd", SGD, ["--opt momentum", "--weight-decay 0.001", "--epochs 50"]),
        ("timm", "pytorch-adamw", ADAM, ["--opt adamw"]),
        ("hf", "pytorch-adamw", ADAM, ['lr_scheduler_type="constant"', "max_steps=100"]),
        ("sklearn", "pytorch-sgd", SGD, ["MLPClassifier(", "alpha=0.01", "max_iter=50"]),
        (
            "sklearn",
            "sklearn-logistic",
            replace(SGD, momentum=None, nesterov=None),
            ["LogisticRegression(", "C=0.001"],
        ),
        ("pytorch", "sklearn-logistic", SGD, ["torch.optim.SGD("]),
    ],
)
def test_the_source_decides_the_optimizer(framework, source, run, parts):
    code = emit(framework, "1e-3", source=source, run=run).code
    assert all(part in code for part in parts)


NESTEROV = Run(lr="0.1", momentum="0.9", nesterov=True)


@pytest.mark.parametrize(
    ("framework", "target", "part"),
    [
        ("pytorch", None, "nesterov=True"),
        ("keras", None, "nesterov=True"),
        ("keras", "keras-sgd", "nesterov=True"),
        ("optax", None, "nesterov=True"),
        ("timm", None, "--opt sgd"),
    ],
)
def test_nesterov_is_said(framework, target, part):
    snippet = emit(framework, "1e-3", source="pytorch-sgd", run=NESTEROV, target=target)
    assert part in snippet.code


def test_dampening_is_said():
    run = Run(lr="0.1", momentum="0.9", dampening="0.5")
    assert "dampening=0.5" in emit("pytorch", "1e-3", source="pytorch-sgd", run=run).code


@pytest.mark.parametrize(
    ("framework", "source", "target", "parts"),
    [
        ("pytorch", "pytorch-adamw", None, ["betas=(0.8, 0.9)", "eps=1e-06"]),
        ("keras", "pytorch-adamw", None, ["beta_1=0.8", "beta_2=0.9", "epsilon=1e-06"]),
        ("optax", "pytorch-adamw", None, ["b1=0.8", "b2=0.9", "eps=1e-06"]),
        ("timm", "pytorch-adamw", None, ["--opt-betas 0.8 0.9", "--opt-eps 1e-06"]),
        ("hf", "pytorch-adamw", None, ["adam_beta1=0.8", "adam_epsilon=1e-06"]),
        ("sklearn", "pytorch-adam", None, ["beta_1=0.8", "epsilon=1e-06", 'solver="adam"']),
        ("pytorch", "pytorch-adamw", "pytorch-adam-decoupled", ["decoupled_weight_decay=True"]),
    ],
)
def test_betas_and_eps_are_said(framework, source, target, parts):
    snippet = emit(
        framework, "1e-3", source=source, target=target, run=ADAM, betas=("0.8", "0.9"), eps="1e-6"
    )
    assert all(part in snippet.code for part in parts)


def test_an_eps_of_zero_is_said():
    assert "eps=0.0" in emit("pytorch", "1e-3", source="pytorch-adamw", run=ADAM, eps="0").code


def test_eps_alone_is_said():
    code = emit("keras", "1e-3", source="pytorch-adamw", run=ADAM, eps="1e-6").code
    assert "epsilon=1e-06" in code
    assert "beta_1" not in code


@pytest.mark.parametrize("framework", ["pytorch", "keras", "optax"])
def test_masks_are_written_out(framework):
    source, run = "pytorch-adamw", ADAM
    every = emit(framework, "0.1", source=source, run=run, mask="all").code
    assert "bias" not in every
    assert "bias" in emit(framework, "0.1", source=source, run=run, mask="no-bias").code
    assert "bias" not in emit(framework, "0.1", source=source, run=run, mask="matrices").code
    with pytest.raises(InvalidValueError, match="decay mask"):
        emit(framework, "0.1", source=source, run=run, mask="hf")
    with pytest.raises(UnknownNameError, match="decay mask"):
        emit(framework, "0.1", source=source, run=run, mask="no-2d")


def test_the_mask_timm_asks_the_model_for_its_list_where_there_may_be_one():
    code = emit("pytorch", "0.1", source="pytorch-adamw", run=ADAM, mask="timm").code
    assert "name not in listed" in code
    for framework in ("keras", "optax"):
        timm = emit(framework, "0.1", source="pytorch-adamw", run=ADAM, mask="timm")
        plain = emit(framework, "0.1", source="pytorch-adamw", run=ADAM, mask="no-1d")
        assert timm.code == plain.code
        assert "the model's own list" in timm.notes[0]


def test_timm_has_its_own_mask():
    with pytest.raises(InvalidValueError, match="use timm"):
        emit("timm", "0.1", source="pytorch-adamw", run=ADAM, mask="all")
    own = emit("timm", "0.1", source="pytorch-adamw", run=ADAM)
    assert own.code == emit("timm", "0.1", source="pytorch-adamw", run=ADAM, mask="timm").code
    plain = emit("timm", "0.1", source="pytorch-adamw", run=ADAM, mask="no-1d")
    assert plain.code == own.code
    assert "own list (no_weight_decay)" in plain.notes[0]


@pytest.mark.parametrize(
    ("framework", "target"),
    [
        ("pytorch", "caffe"), ("keras", "caffe"), ("optax", "caffe"), ("timm", "caffe"),
        ("sklearn", "caffe"), ("hf", "caffe"),
    ],
)  # fmt: skip
def test_another_frameworks_convention_is_refused(framework, target):
    with pytest.raises(NoEquivalentError, match="no snippet is written"):
        emit(framework, "1e-3", source="pytorch-sgd", target=target, run=SGD)


@pytest.mark.parametrize(
    ("framework", "source"),
    [("hf", "pytorch-sgd"), ("timm", "pytorch-adam"), ("pytorch", "optax-lion")],
)
def test_a_framework_without_that_optimizer_says_so(framework, source):
    with pytest.raises(NoEquivalentError, match="name another with --to"):
        emit(framework, "1e-3", source=source, run=SGD)


def test_unknown_frameworks_are_answered_with_the_known():
    with pytest.raises(UnknownNameError, match="pytorch"):
        emit("pytorhc", "1e-3", source="pytorch-sgd", run=SGD)


def test_lr_and_the_length_of_the_run_are_needed():
    with pytest.raises(MissingQuantityError) as caught:
        emit("pytorch", "1e-3", source="pytorch-sgd", run=Run())
    assert caught.value.missing == ("lr",)
    with pytest.raises(MissingQuantityError) as caught:
        emit("pytorch", "1e-3", source="pytorch-sgd", run=Run(lr=1), schedule="cosine")
    assert caught.value.missing == ("steps",)


def test_an_estimator_needs_no_lr():
    snippet = emit("sklearn", "0.1", source="sklearn-ridge", target="sklearn-ridge", run=Run())
    assert "Ridge(" in snippet.code
    assert (
        "SGDClassifier("
        in emit(
            "sklearn", "0.1", source="pytorch-sgd", target="sklearn-sgd", run=Run(lr="0.1")
        ).code
    )


def test_a_summed_loss_changes_lr_in_the_code():
    run = Run(lr="0.001", batch_size=100, loss="batch-sum")
    snippet = emit("pytorch", "0.1", source="pytorch-sgd", run=run, target_run=Run(loss="mean"))
    assert snippet.lr == 0.1
    assert "lr=0.1," in snippet.code


@pytest.mark.parametrize(
    ("schedule", "parts"),
    [
        ("cosine", ['"cosine"']),
        ("cosine:warmup=7", ["warmup_steps=7"]),
        ("cosine:final=0.1", ['"cosine_with_min_lr"', '"min_lr_rate": 0.1']),
        ("linear", ['"linear"']),
        ("linear:final=0.5", ['"polynomial"', '"lr_end": 0.0005']),
        ("constant:warmup=3", ['"constant_with_warmup"']),
    ],
)
def test_the_trainers_schedules_have_its_names(schedule, parts):
    code = emit("hf", "0.1", source="pytorch-adamw", run=ADAM, schedule=schedule).code
    assert all(part in code for part in parts)


@pytest.mark.parametrize(
    "schedule",
    [
        "step:every=10",
        "cosine:warmup=5,start=0.1",
        "linear:until=50 + constant",
        "cosine:warmup=5,over=run",
        "cosine:warmup=5,counts=one",
        "linear:warmup=5,warmup_per=2",
    ],
)
def test_what_the_trainer_cannot_follow_is_noted(schedule):
    snippet = emit("hf", "0.1", source="pytorch-adamw", run=ADAM, schedule=schedule)
    assert "has no equal there" in snippet.notes[-1]
    assert "lr_scheduler_type" not in snippet.code


def test_timms_schedule_counts_epochs_before_the_warm_up():
    code = emit(
        "timm", "0.1", source="pytorch-adamw", run=ADAM, schedule="cosine:warmup=10epochs,start=0.1"
    ).code
    assert "--epochs 40" in code
    assert "--warmup-epochs 10" in code
    assert "--warmup-lr 0.0001" in code
    snippet = emit("timm", "0.1", source="pytorch-adamw", run=ADAM, schedule="cosine:warmup=3")
    assert "has no equal there" in snippet.notes[-1]


def test_a_run_of_unknown_length_leaves_the_length_open():
    code = emit("timm", "0.1", source="pytorch-adamw", run=Run(lr="1e-3", grad_accum=2)).code
    assert "epochs" not in code
    assert "--grad-accum-steps 2" in code
    code = emit("hf", "0.1", source="pytorch-adamw", run=Run(lr="1e-3")).code
    assert "max_steps" not in code
    code = emit("sklearn", "0.1", source="pytorch-sgd", run=Run(lr="1e-3", batch_size=8)).code
    assert "max_iter" not in code


@pytest.mark.parametrize(
    ("source", "schedule", "differs"),
    [("pytorch-sgd", "step:at=50%", True), ("pytorch-sgd", None, False),
     ("caffe", "step:at=50%", False), ("mean-l2", "step:at=50%", False)],
)  # fmt: skip
def test_keras_momentum_is_told_apart_where_the_lr_changes(source, schedule, differs):
    run = Run(lr="0.1", momentum="0.9", steps=1000)
    snippet = emit("keras", "1e-4", source=source, run=run, schedule=schedule)
    assert any("inside its momentum buffer" in note for note in snippet.notes) == differs


@pytest.mark.parametrize(
    ("framework", "source"),
    [("pytorch", "pytorch-sgd"), ("pytorch", "pytorch-adamw"), ("optax", "pytorch-sgd"),
     ("optax", "pytorch-adamw"), ("keras", "pytorch-adamw")],
)  # fmt: skip
@pytest.mark.parametrize("schedule", [None, "cosine:warmup=10epochs"])
def test_a_decay_that_changes_has_its_code(framework, source, schedule):
    snippet = emit(
        framework, "1e-3", source=source, run=ADAM, schedule=schedule,
        decay_schedule="cosine:final=10",
    )  # fmt: skip
    assert "def decay_multiplier(step):" in snippet.code
    assert "10 + -9 * " in snippet.code
    assert undefined(snippet.code) <= {"model", "zip", "next", "property"}


@pytest.mark.parametrize(
    ("framework", "source"),
    [("timm", "pytorch-sgd"), ("hf", "pytorch-adamw"), ("sklearn", "pytorch-sgd"),
     ("keras", "pytorch-sgd")],
)  # fmt: skip
def test_settings_of_one_number_hold_no_decay_that_changes(framework, source):
    with pytest.raises(NoEquivalentError, match="one weight decay for the whole run"):
        emit(framework, "1e-3", source=source, run=ADAM, decay_schedule="cosine")


def test_a_decay_that_changes_needs_numbers_that_multiply_it():
    with pytest.raises(ContradictionError, match="not proportional to its half_life"):
        emit("pytorch", "100", source="half-life-steps", run=ADAM, decay_schedule="cosine")


def test_timms_warm_up_may_be_laid_over_its_schedule():
    codes = [
        emit("timm", "0.1", source="pytorch-adamw", run=ADAM, schedule=text).code
        for text in ("cosine:warmup=10epochs", "cosine:warmup=10epochs,over=run")
    ]
    assert ["--warmup-prefix" in code for code in codes] == [True, False]
    assert ["--epochs 40" in code for code in codes] == [True, False]
    assert "--epochs 50" in codes[1]


@pytest.mark.parametrize("framework", ["pytorch", "keras", "optax", "timm"])
def test_what_is_exempt_without_anybody_s_word_is_told(framework):
    unsaid = emit(framework, "0.1", source="pytorch-adamw", run=ADAM)
    mask = "timm" if framework == "timm" else "no-1d"
    said = emit(framework, "0.1", source="pytorch-adamw", run=ADAM, mask=mask)
    assert "one-dimensional tensors" in " ".join(unsaid.notes)
    assert "one-dimensional tensors" not in " ".join(said.notes)
    assert unsaid.code == said.code
