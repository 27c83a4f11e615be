"""Swin Transformer's YAML configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
MODEL:
  TYPE: swin
  SWIN:
    EMBED_DIM: 48
DATA:
  BATCH_SIZE: 64
TRAIN:
  EPOCHS: 60
  WARMUP_EPOCHS: 4
  WEIGHT_DECAY: 0.1
  BASE_LR: 8e-4
  WARMUP_LR: 8e-7
  MIN_LR: 8e-6
"""


def test_lr_is_scaled_by_the_batch_and_set_a_step_late(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, world_size="8")
    assert (found.kind, found.convention, found.value) == ("swin", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, float(found.run.lr)) == (512, 8e-4)
    assert found.schedule == "cosine:warmup=4epochs,start=0.001,final=0.01,delay=1"
    assert shrink(found) == pytest.approx(8e-5)
    assert float(read(tmp_path, "b.yaml", FILE).run.lr) == 1e-4
    assert not found.not_used


def test_a_model_alone_has_all_defaults(tmp_path):
    found = read(tmp_path, "a.yaml", FILE[: FILE.index("DATA:")])
    assert (found.value, found.run.epochs) == ("0.05", 300)
    assert float(found.run.lr) == 5e-4 * 128 / 512
    assert found.schedule == "cosine:warmup=20epochs,start=0.001,final=0.01,delay=1"


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("{WARMUP_PREFIX: false}",
         "cosine:warmup=4epochs,start=0.001,final=0.01,over=run,delay=1"),
        ("{NAME: linear}", "linear:warmup=4epochs,start=0.001,final=0.01,delay=1"),
        ("{NAME: step, DECAY_EPOCHS: 10, DECAY_RATE: 0.5}",
         "step:every=10epochs,gamma=0.5,warmup=4epochs,start=0.001,delay=1"),
        ("{NAME: multistep, MULTISTEPS: [30, 50], GAMMA: 0.2}",
         "step:at=30/50epochs,gamma=0.2,warmup=4epochs,start=0.001,delay=1"),
        ("{NAME: multistep}", None),
        ("{NAME: other}", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, lines, schedule):
    text = f"{FILE}  LR_SCHEDULER: {lines}\n"
    assert read(tmp_path, "a.yaml", text).schedule == schedule


def test_without_a_warm_up_there_is_none(tmp_path):
    text = FILE.replace("WARMUP_EPOCHS: 4", "WARMUP_EPOCHS: 0")
    assert read(tmp_path, "a.yaml", text).schedule == "cosine:final=0.01,delay=1"


def test_optimizers_and_layers(tmp_path):
    sgd = read(tmp_path, "a.yaml", FILE + "  OPTIMIZER: {NAME: sgd}\n  LAYER_DECAY: 0.8\n")
    assert (sgd.convention, sgd.run.nesterov) == ("pytorch-sgd", True)
    assert (sgd.layer_decay.rate, sgd.layer_decay.counting) == ("0.8", "swin")
    plain = FILE.replace("TYPE: swin", "TYPE: vit") + "  LAYER_DECAY: 0.65\n"
    assert read(tmp_path, "d.yaml", plain).layer_decay.counting == "beit"
    even = read(tmp_path, "b.yaml", FILE + "  OPTIMIZER: {NAME: mine}\n  LAYER_DECAY: 1.0\n")
    assert even.convention is None
    assert even.layer_decay is None
    opened = read(tmp_path, "c.yaml", FILE.replace("BATCH_SIZE: 64", "BATCH_SIZE: ???"))
    assert opened.run.given("lr") is None


@pytest.mark.parametrize("model", ["vit", "tiny_vit", "intern_image"])
def test_programs_older_than_the_key_lay_the_warm_up_over_the_cosine(tmp_path, model):
    found = read(tmp_path, "a.yaml", FILE.replace("TYPE: swin", f"TYPE: {model}"))
    assert found.schedule == "cosine:warmup=4epochs,start=0.001,final=0.01,over=run,delay=1"


def test_where_another_model_s_program_begins_its_cosine_is_not_known(tmp_path):
    text = FILE.replace("TYPE: swin", "TYPE: my_own")
    found = read(tmp_path, "a.yaml", text)
    assert (found.schedule, "warmup_prefix" in found.missing) == (None, True)
    told = read(tmp_path, "b.yaml", text + "  LR_SCHEDULER: {WARMUP_PREFIX: true}\n")
    assert told.schedule == "cosine:warmup=4epochs,start=0.001,final=0.01,delay=1"
    without = read(tmp_path, "c.yaml", text.replace("WARMUP_EPOCHS: 4", "WARMUP_EPOCHS: 0"))
    assert without.schedule == "cosine:final=0.01,delay=1"


def test_a_command_line_lies_over_the_file_of_cfg(tmp_path):
    (tmp_path / "a.yaml").write_text(FILE, "utf-8")
    line = (
        "torchrun --nproc_per_node 4 main.py --cfg a.yaml --batch-size 32 --optim sgd"
        " --accumulation-steps 2 --opts TRAIN.WEIGHT_DECAY 0.3\n"
    )
    found = read(tmp_path, "run.sh", line)
    assert (found.kind, found.convention, found.value) == ("swin", "pytorch-sgd", "0.3")
    assert found.run.examples_per_step == 32 * 2 * 4
