"""Devices that share one micro-batch, whose examples are counted once."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read

FLAGS = "--per_device_train_batch_size 2 --gradient_accumulation_steps 3 --learning_rate 1e-4"
SWIFT = f"NPROC_PER_NODE=8 swift sft --model a --train_type full {FLAGS}"
FACTORY = f"{FLAGS} --stage sft --finetuning_type full --do_train --model_name_or_path a"
TUNE = (
    "optimizer:\n  _component_: torch.optim.AdamW\n  lr: 1e-4\nbatch_size: 2\nepochs: 1\n"
    "gradient_accumulation_steps: 3\n"
)
V1 = "micro_batch_size: 2\ndist_config: {name: fsdp2}\nbatching_strategy: normal\n"


@pytest.mark.parametrize(
    ("script", "batch"),
    [
        (SWIFT, 48),
        (f"{SWIFT} --sequence_parallel_size 4", 12),
        (f"{SWIFT} --sequence_parallel_size 2 --deepspeed_autotp_size 2", 12),
        (f"torchrun --nproc_per_node 8 src/train.py {FACTORY} --hyper_parallel_cp_size 2", 24),
        (f"torchrun --nproc_per_node 8 src/train.py {FACTORY} --tensor_model_parallel_size 2", 24),
        (f"accelerate launch --num_processes 8 --parallelism_config_cp_size 2 a.py {FLAGS}", 24),
        (f"accelerate launch --num_processes 8 --parallelism_config_cp_size 3 a.py {FLAGS}", 6),
        (f"accelerate launch --config_file acc.yaml a.py {FLAGS}", 24),
        (f"accelerate launch --config_file bare.yaml a.py {FLAGS}", 6),
    ],
)  # fmt: skip
def test_devices_that_share_a_sequence_take_the_same_examples(tmp_path, script, batch):
    mesh = "num_processes: 8\nparallelism_config:\n  parallelism_config_sp_size: 2\n"
    (tmp_path / "acc.yaml").write_text(mesh)
    (tmp_path / "bare.yaml").write_text("num_processes: auto\n")
    assert read(tmp_path, "run.sh", f"{script}\n").run.examples_per_step == batch


def test_the_accumulation_that_swift_fills_in_counts_all_devices(tmp_path):
    script = SWIFT.replace("--gradient_accumulation_steps 3", "--sequence_parallel_size 4")
    made = read(tmp_path, "run.sh", f"{script.replace('_size 2', '_size 1')}\n")
    assert (made.run.grad_accum, made.run.examples_per_step) == (2, 4)


@pytest.mark.parametrize(
    ("text", "given", "batch"),
    [
        (f"{TUNE}tensor_parallel_dim: 2\n", {}, 6),
        (f"{TUNE}tensor_parallel_dim: 2\n", {"world_size": "4"}, 24),
        (f"{V1}cp_size: 4\n", {}, 2),
        (f"{V1}cp_size: 4\ndp_size: 3\n", {}, 6),
    ],
)
def test_without_a_launcher_world_size_counts_the_data_parallel_ones(tmp_path, text, given, batch):
    made = read(tmp_path, "a.yaml", text, **given)
    assert made.run.examples_per_step == batch
    told = any("--world-size counts the data-parallel devices" in note for note in made.notes)
    assert told == (not given and "dp_size" not in text)
    said = any("is taken for the data-parallel devices" in note for note in made.notes)
    assert said == bool(given)


def test_a_dump_s_devices_are_shared_too(tmp_path):
    dump = (
        '{"per_device_train_batch_size": 2, "gradient_accumulation_steps": 3, "train_type": "full",'
        ' "num_train_epochs": 1, "global_world_size": 8, "sequence_parallel_size": 2}'
    )
    made = read(tmp_path, "args.json", dump)
    assert (made.kind, made.run.examples_per_step) == ("ms-swift", 24)


@pytest.mark.parametrize("size", ["3", "$SP"])
def test_what_does_not_divide_the_devices_leaves_the_batch_open(tmp_path, size):
    made = read(tmp_path, "run.sh", f"{SWIFT} --sequence_parallel_size {size}\n")
    assert made.run.examples_per_step is None
    assert "sequence_parallel_size" in quantity(made, "world_size").note


def test_a_part_of_a_device_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="sequence_parallel_size '0' is not a whole"):
        read(tmp_path, "run.sh", f"{SWIFT} --sequence_parallel_size 0\n")
