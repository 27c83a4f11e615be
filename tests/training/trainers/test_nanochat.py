"""nanochat's flags: at depth 12 all is known, at others what base_train prints is asked for."""

from tests.training.trainers.reading import read

FILE = (
    "torchrun --nproc_per_node=8 -m scripts.base_train -- --depth=12 --weight-decay=0.2"
    " --total-batch-size=2097152 --num-iterations=1000\n"
)


def test_the_reference_depth(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("nanochat", "nanochat-muon", "0.4")
    assert (float(found.run.lr), found.run.examples_per_step) == (0.04, 2097152)
    assert found.schedule == "wsd:warmup=40,ramp=one,decay=65%,final=0.05,shape=linear"
    assert found.decay_schedule == "cosine"
    bare = read(tmp_path, "b.sh", "python -m scripts.base_train --depth=12")
    assert (bare.run.examples_per_step, float(bare.run.lr)) == (524288, 0.02)


def test_another_depth_asks_for_what_is_printed(tmp_path):
    found = read(tmp_path, "run.sh", FILE.replace("depth=12", "depth=24"))
    assert (found.value, float(found.run.lr)) == (None, 0.04)
    assert any("give --value as base_train prints" in note for note in found.notes)
    less = read(tmp_path, "b.sh", "python -m scripts.base_train --depth=24 --warmdown-ratio=0")
    assert (less.run.lr, less.value, less.schedule) == (None, None, "constant:warmup=40,ramp=one")


def test_a_flag_that_only_a_run_tells(tmp_path):
    found = read(tmp_path, "run.sh", FILE.replace("0.2", "$WD"))
    assert (found.value, found.decay_schedule) == (None, None)
