"""SpeechBrain's files, whose optimizers are told by their tags."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
seed: 1
__set_seed: !apply:torch.manual_seed [!ref <seed>]
save_folder: !ref <output>/save
number_of_epochs: 40
batch_size: 8
grad_accumulation_factor: 4
rate: 0.0005
opt_class: !name:torch.optim.AdamW
  lr: !ref <rate>
  weight_decay: 0.02
anneal: !new:speechbrain.nnet.schedulers.NoamScheduler
  lr_initial: !ref <rate>
  n_warmup_steps: 3000
epoch_counter: !new:speechbrain.utils.epoch_loop.EpochCounter
  limit: !ref <number_of_epochs>
"""
NOAM = FILE[FILE.index("anneal") : FILE.index("epoch_counter")]


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, "train.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("speechbrain", "pytorch-adamw", "0.02")
    assert (found.run.examples_per_step, found.run.epochs) == (32, 40)
    assert found.schedule == "inverse-sqrt:warmup=3000,ramp=one"
    assert shrink(found) == pytest.approx(1e-5)
    assert (origins(found)["lr"], origins(found)["optimizer"]) == ("file", "file")


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("", "constant"),
        ("anneal: !new:speechbrain.nnet.schedulers.NewBobScheduler\n  initial_value: 1\n", None),
        (NOAM + NOAM.replace("anneal", "second"), None),
        (NOAM + "  model_size: 64\n", None),
        ("anneal: !name:torch.optim.lr_scheduler.ExponentialLR\n  gamma: 0.9\n", None),
        (NOAM.replace("3000", "!ref <warm>") + "warm: 20\n", "inverse-sqrt:warmup=20,ramp=one"),
    ],
)
def test_schedulers(tmp_path, text, schedule):
    assert read(tmp_path, "train.yaml", FILE.replace(NOAM, text)).schedule == schedule


@pytest.mark.parametrize(
    ("old", "new", "convention", "value"),
    [
        ("  weight_decay: 0.02\n", "", "pytorch-adamw", "0.01"),
        ("torch.optim.AdamW", "torch.optim.SGD", "pytorch-sgd", "0.02"),
        ("torch.optim.AdamW\n  lr: !ref <rate>\n  weight_decay: 0.02", "torch.optim.Mine",
         None, None),
        ("opt_class: !name:torch.optim.AdamW", "opt_class:", None, None),
    ],
)  # fmt: skip
def test_optimizers(tmp_path, old, new, convention, value):
    found = read(tmp_path, "train.yaml", FILE.replace(old, new))
    assert (found.convention, found.value) == (convention, value)


def test_an_optimizer_of_a_pre_trained_part_is_named(tmp_path):
    part = "wav2vec_opt_class: !name:torch.optim.Adam\n  lr: 0.0001\n"
    found = read(tmp_path, "train.yaml", f"{part}dynamic_batching: True\n{FILE}")
    assert found.value == "0.02"
    assert any("wav2vec_opt_class: an optimizer of its own" in note for note in found.notes)
    assert any("batches are by length" in note for note in found.notes)


def test_what_enters_by_a_reference_is_used_and_the_rest_is_named(tmp_path):
    text = FILE.replace("n_warmup_steps: 3000", "n_warmup_steps: !ref <warm_steps>")
    rest = "warm_steps: 20\nmax_batch_length: 9\nturn_lr: !ref <lr_turn>\nlr_turn: !ref <turn_lr>\n"
    found = read(tmp_path, "train.yaml", text + rest)
    assert found.schedule == "inverse-sqrt:warmup=20,ramp=one"
    assert found.not_used == ("max_batch_length", "turn_lr", "lr_turn")


def test_noam_s_own_lr_takes_the_place_of_the_optimizer_s(tmp_path):
    text = FILE.replace("  lr: !ref <rate>", "  lr: 0")
    found = read(tmp_path, "train.yaml", text)
    assert shrink(found) == pytest.approx(0.0005 * 0.02)
    missing = FILE.replace(NOAM, "").replace("torch.optim.AdamW", "torch.optim.Mine")
    assert read(tmp_path, "b.yaml", missing.replace("  lr: !ref <rate>\n", "")).run.lr is None


def test_a_file_of_the_benchmarks_is_told_by_its_own_names(tmp_path):
    text = FILE.replace("__set_seed: !apply:torch.manual_seed", "__set_torchseed: !apply:torch.x")
    text = text.replace("save_folder: !ref <output>/save\n", "").replace("anneal:", "lr_annealing:")
    assert read(tmp_path, "a.yaml", text).kind == "speechbrain"
