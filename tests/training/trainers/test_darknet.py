"""Darknet's cfg files, against parser.c and network.c."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, read, shrink

CFG = """[net]
# Training
batch=64
subdivisions=16
momentum=0.9
decay=0.0005
saturation = 1.5
learning_rate=0.001
burn_in=1000
max_batches = 500200
policy=steps
steps=400000,450000
scales=.1,.1
letter_box=1

[convolutional]
filters=32
batch_normalize=1
"""


def test_a_network_is_read(tmp_path):
    made = read(tmp_path, "yolov3.cfg", CFG)
    assert (made.kind, made.convention, made.value) == ("darknet", "darknet", "0.0005")
    assert (made.run.batch_size, made.run.steps) == (64, 500200)
    assert made.schedule == "step:at=400000/450000,gamma=.1/.1,warmup=1000,warmup_power=4"
    assert made.not_used == ()
    assert shrink(made) == pytest.approx(0.001 * 0.0005 / 0.1)


def test_of_a_key_set_twice_the_first_counts(tmp_path):
    text = "[net]\nbatch=1\nsubdivisions=1\nbatch=64\nlearning_rate=0.001\nmax_batches=500\n"
    made = read(tmp_path, "dup.cfg", text)
    assert made.run.batch_size == 1
    assert any("testing" in note for note in made.notes)


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("policy=constant", "constant"),
        ("policy=step\nstep=100\nscale=.5", "step:every=100,gamma=0.5"),
        ("policy=poly\npower=2", "polynomial:power=2,over=run"),
        ("policy=poly\nburn_in=9", "polynomial:power=4,over=run,warmup=9,warmup_power=4"),
        ("policy=exp\ngamma=.9", "exponential:gamma=0.9,over=run"),
        ("policy=sgdr\nburn_in=5", "cosine:final=0.01,over=run,warmup=5,warmup_power=4"),
        ("policy=sig", None),
        ("policy=steps\nsteps=1,2\nscales=.1", None),
        (
            "policy=steps\nsteps=-1,100,20000\nscales=.1,10,.1",
            "step:initial=0.1,at=100/20000,gamma=10/.1",
        ),
        ("policy=steps\nsteps=-1,100\nscales=.1,10\nburn_in=5", None),
        ("policy=steps\nsteps=-1,100\nscales=x,10", None),
        ("policy=steps\nsteps=-1\nscales=.1", None),
        ("policy=steps\nsteps=x\nscales=.1", None),
        ("policy=sgdr\nsgdr_cycle=10", "cosine-restarts:period=10,growth=2,final=0.01"),
        ("policy=sgdr\nsgdr_cycle=10\nburn_in=5", None),
    ],
)
def test_policies_become_schedules(tmp_path, lines, schedule):
    made = read(tmp_path, "n.cfg", f"[network]\nbatch=8\n{lines}\ntrack_rate=3")
    assert (made.schedule, made.value) == (schedule, "0.0001")
    assert made.not_used == ("track_rate",)
    assert origins(made)["weight_decay"] == "default"


def test_adam_is_not_darknets_sgd(tmp_path):
    made = read(tmp_path, "n.cfg", "[net]\nbatch=8\nadam=1")
    assert made.value is None
    assert "Adam" in made.refusal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[net]\nbatch", "line 2: expected key=value"),
        ("[net]\nbatch=8\ndecay=1e400", "is not a number"),
        ("[net]\nbatch=8\ndecay=-1", "must be at least 0"),
    ],
)
def test_broken_networks_are_refused(tmp_path, text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        read(tmp_path, "n.cfg", text)


def test_only_the_first_section_is_the_networks(tmp_path):
    with pytest.raises(UnreadableFileError, match="own keys"):
        read(tmp_path, "n.cfg", "[convolutional]\nbatch=1")
