"""kohya's sd-scripts."""

import json

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, read, shrink

FILE = """\
[model_arguments]
pretrained_model_name_or_path = "acme/base.safetensors"
[optimizer_arguments]
optimizer_type = "AdamW8bit"
learning_rate = 1e-4
lr_scheduler = "cosine"
lr_warmup_steps = 0.1
optimizer_args = ["weight_decay=0.05", "betas=(0.9, 0.99)"]
[training_arguments]
train_batch_size = 2
gradient_accumulation_steps = 4
max_train_steps = 2000
network_module = "networks.lora"
"""


def changed(*pairs):
    text = FILE
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_the_decay_stands_within_the_arguments(tmp_path):
    found = read(tmp_path, "a.toml", FILE)
    assert (found.kind, found.convention, found.value) == ("kohya", "bitsandbytes-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.total_steps) == (8, 2000)
    assert found.schedule == "cosine:warmup=200"
    assert found.betas == ("0.9", "0.99")
    assert shrink(found) == pytest.approx(5e-6)
    assert found.exempt.rule == "nothing"


@pytest.mark.parametrize(
    ("name", "convention", "value"),
    [
        ("AdamW8bit", "bitsandbytes-adamw", "0.01"),
        ("", "pytorch-adamw", "0.01"),
        ("Lion", "lion-pytorch", "0"),
        ("SGDNesterov", "pytorch-sgd", "0"),
        ("Adafactor", "hf-adafactor-relative", "0"),
        ("Prodigy", "prodigy", "0"),
        ("DAdaptAdam", "dadaptation", "0"),
        ("DAdaptation", "dadaptation", "0"),
        ("DAdaptAdan", "dadaptation-decoupled", "0.02"),
        ("DAdaptLion", "dadaptation-decoupled", "0"),
        ("AdamWScheduleFree", "schedule-free", "0"),
        ("Mine", None, None),
    ],
)
def test_without_the_argument_the_optimizer_s_own_default_holds(tmp_path, name, convention, value):
    text = changed(('"AdamW8bit"', f'"{name}"'), ('"weight_decay=0.05", "betas=(0.9, 0.99)"', ""))
    found = read(tmp_path, "a.toml", text)
    assert (found.convention, found.value) == (convention, value)
    assert value is None or origins(found)["weight_decay"] == "default"


@pytest.mark.parametrize(
    ("name", "flag", "convention"),
    [
        ("DAdaptAdam", "decouple", "dadaptation-decoupled"),
        ("Lion", "decoupled_weight_decay", "lion-pytorch-decoupled"),
    ],
)
def test_a_flag_among_the_arguments_takes_the_decay_out_of_the_gradient_or_the_lr(
    tmp_path, name, flag, convention
):
    text = changed(('"AdamW8bit"', f'"{name}"'), ('"betas=(0.9, 0.99)"', f'"{flag}=True"'))
    assert read(tmp_path, "a.toml", text).convention == convention


def test_adafactor_without_relative_steps_is_the_other_record(tmp_path):
    text = changed(('"AdamW8bit"', '"Adafactor"'), ('"betas=(0.9, 0.99)"', '"relative_step=False"'))
    assert "RMS" in read(tmp_path, "a.toml", text).refusal
    text = text.replace('"relative_step=False"', '"relative_step=False", "scale_parameter=False"')
    assert read(tmp_path, "a.toml", text).convention == "hf-adafactor"


@pytest.mark.parametrize(
    ("switch", "convention"),
    [("use_8bit_adam", "bitsandbytes-adamw"), ("use_lion_optimizer", "lion-pytorch")],
)
def test_older_switches_choose_the_optimizer(tmp_path, switch, convention):
    text = changed(('optimizer_type = "AdamW8bit"', f"{switch} = true"))
    assert read(tmp_path, "a.toml", text).convention == convention


@pytest.mark.parametrize(
    ("pairs", "schedule"),
    [
        ([('"cosine"', '"constant"')], "constant"),
        ([('"cosine"', '"constant_with_warmup"')], "constant:warmup=200"),
        ([('"cosine"', '"cosine_with_restarts"')], "cosine-restarts:cycles=1,warmup=200"),
        ([('"cosine"', '"polynomial"')], "polynomial:power=1,final=0.001,warmup=200"),
        ([('"cosine"', '"inverse_sqrt"\nlr_scheduler_timescale = 50')],
         "inverse-sqrt:timescale=50,warmup=200"),
        ([('"cosine"', ('"cosine_with_min_lr"\nlr_scheduler_num_cycles = 3'
                       '\nlr_scheduler_min_lr_ratio = 0.1'))], None),
        ([('"cosine"', '"cosine_with_min_lr"')], None),
        ([('"cosine"', '"warmup_stable_decay"\nlr_decay_steps = 0.2')],
         "wsd:decay=400,shape=cosine,warmup=200"),
        ([('"cosine"', ('"warmup_stable_decay"\nlr_decay_steps = 400'
                       '\nlr_scheduler_min_lr_ratio = 0.1'))],
         "wsd:decay=400,shape=cosine,final=0.1,warmup=200,start=0.1"),
        ([('"cosine"', '"warmup_stable_decay"')], None),
        ([('"cosine"', '"cosine"\nlr_scheduler_args = ["num_cycles=2"]')], None),
        ([('"cosine"', '"cosine"\nlr_scheduler_type = "CosineAnnealingLR"')], None),
        ([('"cosine"', '"cosine_with_min_lr"\nlr_scheduler_min_lr_ratio = 0.1')],
         "cosine:final=0.1,warmup=200"),
        ([('"cosine"', '"other"')], None),
        ([("0.1\n", "50\n")], "cosine:warmup=50"),
        ([("0.1\n", "0\n")], "cosine"),
        ([("max_train_steps = 2000", "max_train_epochs = 10")], "cosine:warmup=10%"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, pairs, schedule):
    assert read(tmp_path, "a.toml", changed(*pairs)).schedule == schedule


def test_parts_with_an_lr_of_their_own_are_groups(tmp_path):
    text = changed(("learning_rate = 1e-4", "learning_rate = 1e-4\nunet_lr = 2e-4"))
    (group,) = read(tmp_path, "a.toml", text).groups
    assert (group.name, group.lr) == ("U-Net", "2e-4")


def test_flags_are_the_same_names(tmp_path):
    line = (
        "accelerate launch train_network.py --pretrained_model_name_or_path=a "
        "--network_module=networks.lora --optimizer_type=AdamW --train_batch_size=2 "
        "--optimizer_args weight_decay=0.1 betas=0.9,0.95 "
        "--learning_rate=1e-4 --max_train_steps=100\n"
    )
    found = read(tmp_path, "run.sh", line)
    assert (found.kind, found.value, found.betas[1]) == ("kohya", "0.1", "0.95")


def test_a_beta_that_is_not_there_is_the_default(tmp_path):
    text = changed(('"betas=(0.9, 0.99)"', '"betas=0.8"'))
    assert read(tmp_path, "a.toml", text).betas == ("0.8", "0.999")


PRESET = {
    "LoRA_type": "Standard", "optimizer": "Prodigy", "learning_rate": 1.0, "epoch": 4,
    "train_batch_size": 2, "max_train_epochs": "", "max_train_steps": "0", "lr_warmup": 10,
    "lr_scheduler": "cosine", "optimizer_args": "weight_decay=0.02 betas=0.9,0.99",
    "pretrained_model_name_or_path": "a/b", "lr_scheduler_num_cycles": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "convention", "value", "length"),
    [
        ({}, "prodigy", "0.02", (None, 4)),
        ({"optimizer": "PagedAdamW8bit"}, "bitsandbytes-adamw", "0.02", (None, 4)),
        ({"optimizer": "AdamW", "optimizer_args": ""}, "pytorch-adamw", "0.01", (None, 4)),
        ({"optimizer_args": '"weight_decay=0.1" "betas=0.9,0.91"'}, "prodigy", "0.1", (None, 4)),
        (
            {"additional_parameters": "--optimizer_args weight_decay=0.3"},
            "prodigy",
            "0.3",
            (None, 4),
        ),
        ({"max_train_epochs": "7"}, "prodigy", "0.02", (None, 7)),
        ({"max_train_steps": "900"}, "prodigy", "0.02", (900, None)),
        ({"max_train_steps": "900", "max_train_epochs": 3}, "prodigy", "0.02", (None, 3)),
    ],
)
def test_kohya_ss_presets_have_names_of_their_own(tmp_path, changes, convention, value, length):
    found = read(tmp_path, "a.json", json.dumps({**PRESET, **changes}))
    assert (found.kind, found.convention, found.value) == ("kohya", convention, value)
    assert (found.run.steps, found.run.epochs) == length
    assert found.schedule == "cosine:warmup=10%"
    assert not found.not_used


def test_a_preset_without_a_length_has_none(tmp_path):
    text = json.dumps({key: value for key, value in PRESET.items() if key != "epoch"})
    found = read(tmp_path, "a.json", text)
    assert (found.run.steps, found.run.epochs) == (None, None)


def test_kohya_ss_puts_its_additional_parameters_behind_all_others(tmp_path):
    more = '--lr_scheduler_type "CosineAnnealingLR" --lr_scheduler_args "T_max=30"'
    text = json.dumps({**PRESET, "additional_parameters": more}, indent=1)
    assert read(tmp_path, "a.json", text).schedule is None
    with pytest.raises(UnreadableFileError, match="additional_parameters: No closing quotation"):
        read(tmp_path, "b.json", json.dumps({**PRESET, "additional_parameters": '--a "b'}))


def test_bert_s_pre_training_is_another_program_s(tmp_path):
    text = (
        "python run_pretraining.py --bert_config_file a --max_predictions_per_seq 20"
        " --train_batch_size 64 --learning_rate 1e-4 --optimizer_type adam\n"
    )
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "run.sh", text)


def test_a_warmup_in_steps_is_in_those_of_the_scheduler(tmp_path):
    text = changed(("0.1\n", "50\n"))
    assert read(tmp_path, "a.toml", text, world_size="2").schedule == "cosine:warmup=25"


def test_lora_plus_gives_the_up_matrices_their_own_lr(tmp_path):
    more = 'network_args = ["loraplus_lr_ratio=16"]\nunet_lr = 2e-4\n'
    groups = read(tmp_path, "a.toml", FILE + more).groups
    assert [(group.name, group.lr, group.lr_mult) for group in groups] == [
        ("U-Net", "2e-4", "1"),
        ("U-Net up", "0.0032", "1"),
        ("text encoder up", None, "16"),
    ]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ("[[datasets]]\nbatch_size = 6\n", 24),
        ("[general]\nbatch_size = 5\n[[datasets]]\nresolution = 512\n", 20),
        ("[[datasets]]\nbatch_size = 6\n[[datasets]]\nbatch_size = 4\n", None),
        ("[[datasets]]\nresolution = 512\n", 8),
        (None, None),
    ],
)
def test_a_data_set_s_own_file_has_the_batch_size(tmp_path, data, size):
    if data is not None:
        (tmp_path / "data.toml").write_text(data)
    text = FILE + 'dataset_config = "data.toml"\n'
    found = read(tmp_path, "a.toml", text)
    assert found.run.examples_per_step == size
    assert ("batch_size" in found.missing) == (size is None)
    assert read(tmp_path, "a.toml", text, batch_size="3").run.examples_per_step == 12
