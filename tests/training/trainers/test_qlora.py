"""QLoRA's script: the Trainer's names, and defaults of its own."""

from tests.training.trainers.reading import origins, read

FILE = "python qlora.py --model_name_or_path x \\\n --output_dir y --dataset alpaca"


def test_its_own_defaults_hold(tmp_path):
    found = read(tmp_path, "a.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("qlora", "hf-trainer", "0")
    assert (float(found.run.lr), found.run.examples_per_step, found.run.steps) == (2e-4, 16, 10000)
    assert found.schedule == "constant"
    assert origins(found)["lr"] == "default"


def test_flags_take_their_place(tmp_path):
    flags = "--max_steps -1 --num_train_epochs 3 --weight_decay 0.01 --lr_scheduler_type cosine"
    found = read(tmp_path, "a.sh", f"{FILE} {flags} --per_device_train_batch_size 4")
    assert (found.run.steps, found.run.epochs, found.value) == (None, 3, "0.01")
    assert (found.run.examples_per_step, found.schedule) == (64, "cosine:warmup=3%")
