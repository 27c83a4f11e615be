"""The lines of a trainer's file, read back by our own readers: the same run, or a refusal."""

import json

import numpy as np
import pytest
import yaml

from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.emit.code import emit
from decaycalc.errors import NoEquivalentError
from decaycalc.record import replace
from decaycalc.schedule import parse_schedule
from decaycalc.training.source import read_training

LENGTH = {"dataset_size": 3200, "epochs": 10}
ADAM = Run(lr="1e-5", batch_size=16, grad_accum=2, **LENGTH)
SGD = replace(ADAM, lr="0.1", momentum="0.9", nesterov=True)
PLAIN_SGD = replace(SGD, nesterov=None)
NBS = (("nbs", "32"),)
HELD = "over=run,per=1epochs"
LAID = f"{HELD},toward=current,warmup_per=1"
LATE_COSINE = "delay=1,counts=one,toward=peak"

TRAINER = ("hf-trainer", "axolotl", "llama-factory")
SHAPES = [
    None,
    "constant:warmup=50",
    "linear:warmup=50",
    "cosine",
    "cosine:warmup=50",
    "linear:final=0.1,warmup=50",
    "cosine:final=0.1,warmup=50",
]
CASES = [
    *((name, "pytorch-adamw", ADAM, text) for name in TRAINER for text in SHAPES),
    *((name, "pytorch-sgd", SGD, "cosine:final=0.5") for name in TRAINER),
    ("hf-trainer", "pytorch-sgd", replace(SGD, momentum=0, nesterov=None), "linear"),
    ("hf-trainer", "pytorch-sgd", replace(PLAIN_SGD, dampening="0.5"), "linear"),
    ("torchtune", "pytorch-adamw", ADAM, None),
    ("torchtune", "pytorch-adamw", ADAM, "constant"),
    ("torchtune", "pytorch-adam", ADAM, "cosine:warmup=50"),
    ("torchtune", "pytorch-sgd", SGD, "cosine"),
    ("torchtune", "pytorch-sgd", replace(PLAIN_SGD, dampening="0.5"), "cosine"),
    ("torchtune", "keras-adamw", ADAM, "cosine:warmup=50"),
    ("deepspeed", "pytorch-adamw", ADAM, None),
    ("deepspeed", "pytorch-adamw", ADAM, "constant"),
    ("deepspeed", "pytorch-adamw", ADAM, "constant:warmup=50,delay=1"),
    ("deepspeed", "pytorch-adam", ADAM, "linear:warmup=50,start=0.1,final=0.1,delay=1"),
    ("deepspeed", "pytorch-adamw", ADAM, f"cosine:warmup=50,final=0.1,{LATE_COSINE}"),
    ("deepspeed", "pytorch-adamw", replace(ADAM, world_size=4), "linear:warmup=20,delay=1"),
    ("deepspeed", "pytorch-adamw", replace(ADAM, grad_accum=None, world_size=4), None),
    ("deepspeed", "pytorch-sgd", SGD, f"cosine:warmup=50,{LATE_COSINE}"),
    ("deepspeed", "pytorch-sgd", replace(PLAIN_SGD, dampening="0.5"), None),
    ("ultralytics", "pytorch-sgd", replace(SGD, extras=NBS), None),
    ("ultralytics", "pytorch-sgd", replace(SGD, extras=NBS), f"linear:final=0.01,{HELD}"),
    ("ultralytics", "pytorch-adamw", replace(ADAM, extras=NBS), "constant"),
    ("ultralytics", "pytorch-adamw", replace(ADAM, extras=NBS), f"cosine:final=0.01,{HELD}"),
    (
        "ultralytics",
        "pytorch-adamw",
        replace(ADAM, extras=NBS),
        f"linear:final=0.01,warmup=2epochs,{LAID}",
    ),
    (
        "ultralytics",
        "pytorch-adamw",
        replace(ADAM, batch_size=8, world_size=2, extras=NBS),
        f"linear:final=0.1,{HELD}",
    ),
]  # fmt: skip


def written(tmp_path, snippet):
    """Return the path of a file that holds a snippet."""
    path = tmp_path / ("run.json" if snippet.framework == "deepspeed" else "run.yaml")
    path.write_text(snippet.code, encoding="utf-8")
    return str(path)


def multipliers(text, run):
    """Return lr over its peak at every step of a run of 100 batches of 32."""
    total, per_epoch = int(run.total_steps), run.steps_per_epoch
    schedule = parse_schedule(text or "constant", total_steps=total, steps_per_epoch=per_epoch)
    return schedule.multiplier(np.arange(total, dtype=float))


@pytest.mark.parametrize(("framework", "source", "run", "schedule"), CASES)
def test_a_written_file_is_read_as_the_same_run(tmp_path, framework, source, run, schedule):
    snippet = emit(framework, "1e-5", source=source, run=run, schedule=schedule)
    read = read_training(written(tmp_path, snippet))
    assert read.kind == framework
    assert read.convention == snippet.convention.key
    assert float(read.value) == snippet.value
    assert float(read.run.get("lr")) == snippet.lr
    devices = 1 if framework in {*TRAINER, "torchtune"} else run.world_size or 1
    assert read.run.examples_per_step == (run.batch_size * (run.grad_accum or 1) * devices)
    back = convert(read.value, source=read.convention, target=source, run=read.run)
    assert back.value == pytest.approx(1e-5, rel=1e-12)
    for name in ("momentum", "dampening", "nesterov"):
        assert (getattr(read.run, name) or 0) == (getattr(run, name) or 0)
    own = replace(run, extras=())
    if framework != "deepspeed":
        length = replace(read.run, dataset_size=own.dataset_size)
        assert length.total_steps == own.total_steps
    assert np.allclose(
        multipliers(read.schedule, own), multipliers(schedule, own), rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("framework", [*TRAINER, "torchtune", "deepspeed"])
def test_betas_and_epsilon_are_read_back(tmp_path, framework):
    snippet = emit(
        framework, "0.1", source="pytorch-adamw", run=ADAM, betas=("0.9", "0.95"), eps="1e-6"
    )
    read = read_training(written(tmp_path, snippet))
    assert [float(beta) for beta in read.betas] == [0.9, 0.95]
    assert float(read.eps) == 1e-6


def test_ultralytics_takes_beta1_as_its_momentum(tmp_path):
    run = replace(ADAM, extras=NBS)
    said = {"source": "pytorch-adamw", "run": run, "eps": "1e-8"}
    snippet = emit("ultralytics", "0.1", betas=("0.8", "0.999"), **said)
    assert [float(beta) for beta in read_training(written(tmp_path, snippet)).betas] == [0.8, 0.999]
    assert any("0.937" in note for note in emit("ultralytics", "0.1", **said).notes)


@pytest.mark.parametrize("framework", [*TRAINER, "torchtune", "ultralytics"])
def test_every_number_is_a_number_in_yaml_1_1(framework):
    run = replace(ADAM, extras=NBS if framework == "ultralytics" else ())
    loaded = yaml.safe_load(emit(framework, "1e-7", source="pytorch-adamw", run=run).code)
    section = loaded.get("optimizer") if framework == "torchtune" else loaded
    names = {"torchtune": "lr", "ultralytics": "lr0"}
    assert section[names.get(framework, "learning_rate")] == 1e-5
    assert section["weight_decay"] == 1e-7


def test_ultralytics_gets_the_number_that_its_scaling_undoes():
    run = replace(ADAM, grad_accum=None, batch_size=256)
    snippet = emit("ultralytics", "0.1", source="pytorch-adamw", run=run)
    assert snippet.value == 0.1 * 64 / 256
    assert "batch: 256\nnbs: 64\n" in snippet.code


def test_axolotls_default_warm_up_is_never_left_to_it():
    loaded = yaml.safe_load(
        emit("axolotl", "0.1", source="pytorch-adamw", run=ADAM, schedule="cosine").code
    )
    assert loaded["warmup_steps"] == 0


def test_deepspeeds_adam_is_coupled_only_where_it_is_said():
    loaded = json.loads(emit("deepspeed", "0.1", source="pytorch-adam", run=ADAM).code)
    assert loaded["optimizer"]["type"] == "Adam"
    assert loaded["optimizer"]["params"]["adam_w_mode"] is False


def test_deepspeeds_scheduler_is_said_to_be_a_step_late():
    given = {"source": "pytorch-adamw", "run": ADAM}
    late = emit("deepspeed", "0.1", schedule="linear:warmup=50", **given).notes
    assert any("a step late" in note for note in late)
    own = emit("deepspeed", "0.1", schedule="linear:warmup=50,delay=1", **given).notes
    for notes in (own, emit("deepspeed", "0.1", **given).notes):
        assert not any("late" in note for note in notes)


@pytest.mark.parametrize(
    ("framework", "run", "line"),
    [
        ("hf-trainer", Run(lr="1e-3", epochs="2.5"), "num_train_epochs: 2.5\n"),
        ("axolotl", Run(lr="1e-3", epochs=2), "num_epochs: 2.0\n"),
        ("torchtune", Run(lr="1e-3", epochs=2), "epochs: 2\n"),
        ("torchtune", Run(lr="1e-3", steps=70), "epochs: 1\nmax_steps_per_epoch: 70\n"),
    ],
)
def test_the_length_is_written_as_far_as_it_is_known(framework, run, line):
    assert line in emit(framework, "0.1", source="pytorch-adamw", run=run).code


@pytest.mark.parametrize("framework", [*TRAINER, "torchtune", "deepspeed", "ultralytics"])
def test_an_unknown_length_is_left_out(framework):
    code = emit(framework, "0.1", source="pytorch-adamw", run=Run(lr="1e-3", batch_size=64)).code
    assert "max_steps" not in code
    assert "\nepochs" not in code


def test_what_the_file_cannot_say_is_noted():
    run = replace(ADAM, world_size=4)
    for framework in (*TRAINER, "torchtune"):
        notes = emit(framework, "0.1", source="pytorch-adamw", run=run).notes
        assert "start it on 4 devices: the file does not say so" in notes
    notes = emit("hf-trainer", "0.1", source="pytorch-sgd", run=SGD).notes
    assert any("transformers 5" in note for note in notes)


ULTRALYTICS = replace(ADAM, extras=NBS)


@pytest.mark.parametrize(
    ("framework", "source", "run", "more", "match"),
    [
        *((name, "pytorch-adam", ADAM, {}, "optimizer 'adam'") for name in TRAINER),
        ("hf-trainer", "pytorch-adamw", ADAM, {"target": "keras-adamw"}, "keras-adamw"),
        ("torchtune", "pytorch-adamw", ADAM, {"target": "keras-adamw"}, "keras-adamw"),
        ("deepspeed", "pytorch-adamw", ADAM, {"target": "keras-adamw"}, "keras-adamw"),
        ("ultralytics", "pytorch-adamw", ADAM, {"target": "keras-adamw"}, "keras-adamw"),
        ("axolotl", "pytorch-adamw", ADAM, {"schedule": "step:every=10"}, "no name for it"),
        ("axolotl", "pytorch-adamw", ADAM, {"schedule": "linear:final=2"}, "no name for it"),
        ("hf-trainer", "pytorch-adamw", ADAM, {"schedule": "cosine:floor=0.1"}, "no name for it"),
        (
            "llama-factory", "pytorch-adamw", ADAM,
            {"schedule": "linear:until=50 + constant"}, "no name for it",
        ),
        ("torchtune", "pytorch-adamw", ADAM, {"schedule": "linear"}, "cosine to 0"),
        ("torchtune", "pytorch-adamw", ADAM, {"schedule": "constant:warmup=9"}, "cosine to 0"),
        ("torchtune", "pytorch-adamw", replace(ADAM, epochs="2.5"), {}, "whole number of epochs"),
        ("torchtune", "pytorch-adamw", Run(lr="1e-3", epochs="0.5"), {}, "whole number of epochs"),
        ("deepspeed", "pytorch-adamw", ADAM, {"schedule": "linear"}, "at least 2 steps"),
        ("deepspeed", "pytorch-adamw", ADAM, {"schedule": "step:every=10"}, "after a linear"),
        (
            "hf-trainer", "pytorch-adamw", ADAM,
            {"schedule": "linear:warmup=9,delay=1"}, "no name for it",
        ),
        (
            "deepspeed", "pytorch-adamw", ADAM,
            {"schedule": "linear:warmup=9,final=0.1"}, "after a linear",
        ),
        ("ultralytics", "pytorch-adam", ADAM, {}, "optimizer 'adam'"),
        ("ultralytics", "pytorch-adamw", ADAM, {}, "--set nbs=32"),
        ("ultralytics", "pytorch-sgd", replace(PLAIN_SGD, extras=NBS), {}, "Nesterov"),
        ("ultralytics", "pytorch-adamw", ULTRALYTICS, {"betas": ("0.9", "0.95")}, "beta2"),
        ("ultralytics", "pytorch-adamw", ULTRALYTICS, {"eps": "1e-6"}, "eps"),
        ("ultralytics", "pytorch-adamw", replace(ULTRALYTICS, epochs="2.5"), {}, "whole epochs"),
        ("ultralytics", "pytorch-adamw", ULTRALYTICS, {"schedule": "linear"}, "once an epoch"),
        (
            "ultralytics", "pytorch-adamw", ULTRALYTICS,
            {"schedule": "linear:warmup=2epochs,per=1epochs"}, "once an epoch",
        ),
        (
            "ultralytics", "pytorch-adamw", ULTRALYTICS,
            {"schedule": f"linear:warmup=50,{LAID}"}, "whole epochs",
        ),
        (
            "ultralytics", "pytorch-adamw", replace(ULTRALYTICS, dataset_size=640),
            {"schedule": f"linear:warmup=2epochs,{LAID}"}, "at least 100 batches",
        ),
        ("deepspeed", "pytorch-adamw", ADAM, {"decay_schedule": "linear"}, "one weight decay"),
    ],
)  # fmt: skip
def test_what_a_trainer_cannot_express_is_refused(framework, source, run, more, match):
    with pytest.raises(NoEquivalentError, match=match):
        emit(framework, "0.1", source=source, run=run, **more)
