"""What only the run would tell is open: no default takes its place, and no rest of a list."""

import pytest

from decaycalc.inspection import inspect

KOHYA = (
    "accelerate launch --num_processes 1 train_network.py --optimizer_type AdamW {} "
    "--learning_rate 1e-4 --max_train_steps 1000 --train_batch_size 4 "
    "--network_module networks.lora --pretrained_model_name_or_path x --output_dir o\n"
)
TRAINER = (
    "torchrun --nproc_per_node 1 run_clm.py --model_name_or_path x --output_dir o "
    "--learning_rate 1e-3 --weight_decay 0.1 --max_steps 1000 --per_device_train_batch_size 4 "
    "--optim sgd --lr_scheduler_type polynomial {}\n"
)
DETECTION = (
    "torchrun --nproc_per_node 1 train.py --dataset coco --model a --data-path /d "
    "--aspect-ratio-group-factor 3 --lr 0.02 {}\n"
)
SPARSE = """\
optimizer: {{_component_: torch.optim.AdamW, lr: 2e-5{}}}
lr_scheduler: {{_component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup}}
batch_size: 2
{}
max_steps_per_epoch: 500
gradient_accumulation_steps: 1
dataset: {{_component_: torchtune.datasets.alpaca_dataset}}
tokenizer: {{_component_: torchtune.models.llama2.llama2_tokenizer, path: /t}}
"""
PADDLE = """\
epoch: 40
LearningRate:
  base_lr: 0.01
  schedulers:
  - !CosineDecay {max_epochs: 40}
  - !LinearWarmup {start_factor: 0.1, steps: "${STEPS}"}
OptimizerBuilder:
  optimizer: {type: Momentum, momentum: 0.9}
  regularizer: {type: L2, factor: 0.0005}
TrainReader: {batch_size: 8}
"""


def read(tmp_path, text, name="a.sh"):
    (tmp_path / name).write_text(text)
    return {each.name: each for each in inspect(str(tmp_path / name)).training.quantities}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (KOHYA.format("--optimizer_args weight_decay=$WD betas=0.9,0.99"), "weight_decay"),
        (KOHYA.format("--optimizer_args weight_decay=0.1 betas=0.9,$B"), "beta2"),
        (KOHYA.format("--optimizer_args weight_decay=$WD"), "weight_decay"),
        (KOHYA.format("--optimizer_args $ARGS"), "weight_decay"),
        (KOHYA.format('--optimizer_args "weight_decay=0.1 eps=$E"'), "eps"),
        (TRAINER.format('--optim_args "momentum=$M"'), "momentum"),
        (TRAINER.format('--optim_args "momentum=0.9,dampening=$D"'), "dampening"),
        (TRAINER.format('--lr_scheduler_kwargs "{\\"power\\": $P}"'), "schedule"),
        (DETECTION.format("--lr-steps 16 $LAST"), "schedule"),
        (DETECTION.format("--lr-steps $LAST"), "schedule"),
    ],
)
def test_what_a_script_leaves_open_has_no_value(tmp_path, text, name):
    found = read(tmp_path, text)[name]
    assert (found.value, found.origin) == (None, "missing")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (SPARSE.format("", "epochs: ${oc.env:EPOCHS}"), "steps"),
        (SPARSE.format(", betas: [0.9, '${b}']", "epochs: 2"), "beta2"),
        (SPARSE.format(", betas: [0.9, x]", "epochs: 2"), "beta2"),
        (PADDLE, "schedule"),
    ],
)
def test_what_a_file_leaves_open_has_no_value(tmp_path, text, name):
    found = read(tmp_path, text, "a.yaml").get(name)
    assert found is None or found.value is None


def test_the_arguments_beside_an_open_one_are_known(tmp_path):
    found = read(
        tmp_path, KOHYA.format("--optimizer_args weight_decay=$WD eps=1e-6 betas=0.9,0.99")
    )
    assert [found[name].value for name in ("weight_decay", "eps", "beta2")] == [
        None,
        "1e-6",
        "0.99",
    ]


def test_an_optimizer_that_only_the_run_would_tell_is_none_of_ours(tmp_path):
    text = KOHYA.format("--optimizer_args weight_decay=0.1").replace("AdamW", "$OPTIMIZER")
    (tmp_path / "a.sh").write_text(text)
    made = inspect(str(tmp_path / "a.sh")).training
    assert (made.convention, made.refusal) == (None, "optimizer is not known")
