"""spaCy's config.cfg: sections of bare values, an L2 that is a weight decay or not."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, read, shrink

FILE = """\
# a comment
[nlp]
pipeline = ["tagger"]

[training]
max_steps = 4000
accumulate_gradient = 2
train_corpus = null

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 32
get_length = null

[training.optimizer]
@optimizers = "Adam.v1"
L2_is_weight_decay = true
L2 = 0.02
learn_rate = 0.005
"""


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, "config.cfg", FILE)
    assert (found.kind, found.convention, found.value) == ("spacy", "thinc-adam", "0.02")
    assert (found.run.examples_per_step, found.run.steps) == (32, 4000)
    assert (found.schedule, found.unit) == ("constant", "examples")
    assert shrink(found) == pytest.approx(1e-4)
    assert origins(found)["lr"] == "file"
    assert not any("devices" in note for note in found.notes)


@pytest.mark.parametrize(
    ("old", "new", "convention"),
    [
        ("decay = true", "decay = false", "thinc-adam-l2"),
        ('"Adam.v1"', '"RAdam.v1"', "thinc-adam"),
        ('"Adam.v1"', '"Mine.v1"', None),
    ],
)
def test_optimizers(tmp_path, old, new, convention):
    assert read(tmp_path, "config.cfg", FILE.replace(old, new)).convention == convention


@pytest.mark.parametrize(
    ("rate", "schedule"),
    [
        ('"warmup_linear.v1"\nwarmup_steps = 100\ntotal_steps = 4000', "linear:warmup=100"),
        ('"warmup_linear.v1"\nwarmup_steps = 100\ntotal_steps = 9000',
         "linear:warmup=100,length=9000"),
        ('"warmup_linear.v1"', None),
        ('"cyclic_triangular.v1"', None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, rate, schedule):
    section = f"[training.optimizer.learn_rate]\n@schedules = {rate}\ninitial_rate = 0.001\n"
    text = FILE.replace("learn_rate = 0.005\n", section)
    found = read(tmp_path, "config.cfg", text)
    assert (found.schedule, float(found.run.lr)) == (schedule, 0.001)


def test_batches_that_grow_have_no_size(tmp_path):
    text = FILE.replace("size = 32\n", "").replace("sequence", "words")
    section = '[training.batcher.size]\n@schedules = "compounding.v1"\n    start = 9\n'
    found = read(tmp_path, "config.cfg", text + section)
    assert (found.run.examples_per_step, found.unit) == (None, "words")
    assert any("the batches grow" in note for note in found.notes)


@pytest.mark.parametrize("text", ["[a]\nb = null\nwords alone\n", "[a\nb = null\n"])
def test_what_is_no_setting_is_refused(tmp_path, text):
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "config.cfg", text)


@pytest.mark.parametrize(("name", "value"), [("Adam.v1", "0.01"), ("RAdam.v1", "0")])
def test_the_default_configuration_fills_in_its_own_optimizer_alone(tmp_path, name, value):
    text = FILE.replace("L2 = 0.02\n", "").replace("Adam.v1", name)
    found = read(tmp_path, "config.cfg", text)
    assert (found.value, origins(found)["weight_decay"]) == (value, "default")


def test_no_most_steps_leave_the_epochs(tmp_path):
    found = read(
        tmp_path, "c.cfg", FILE.replace("max_steps = 4000", "max_steps = 0\nmax_epochs = 9")
    )
    assert (found.run.steps, found.run.epochs) == (None, 9)
    silent = read(tmp_path, "d.cfg", FILE.replace("max_steps = 4000\n", ""))
    assert silent.run.steps == 20_000
