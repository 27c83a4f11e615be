"""The Hugging Face Trainer's files, against transformers' own sources."""

import json

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, quantity, read, shrink

SHELL = """\
#!/bin/bash
# python old_run.py --learning_rate 9e-9 --weight_decay 0.9
LR=2e-5
ACC=4
deepspeed --num_gpus 4 train.py \\
    --deepspeed ds.json \\
    --num_train_epochs 2 \\
    --per_device_train_batch_size 2 \\
    --gradient_accumulation_steps $ACC \\
    --learning_rate ${LR} \\
    --weight_decay 0.05 \\
    --warmup_steps 100 \\
    --lr_scheduler_type "linear"
"""
# transformers 5.24.0 training_args.py, OptimizerNames, with what becomes of weight_decay.
OPTIM = {
    "adamw_torch": "hf-trainer",
    "adamw_torch_fused": "hf-trainer",
    "adamw_torch_xla": "hf-trainer",
    "adamw_torch_npu_fused": "hf-trainer",
    "adafactor": "hf-adafactor",
    "adamw_anyprecision": "hf-trainer",
    "adamw_torch_4bit": "hf-trainer",
    "adamw_torch_8bit": "hf-trainer",
    "ademamix": "bitsandbytes-ademamix",
    "sgd": "pytorch-sgd",
    "adagrad": "pytorch-adagrad",
    "adamw_bnb_8bit": "hf-trainer",
    "adamw_8bit": "hf-trainer",
    "ademamix_8bit": "bitsandbytes-ademamix",
    "lion_8bit": "bitsandbytes-lion",
    "lion_32bit": "bitsandbytes-lion",
    "paged_adamw_32bit": "hf-trainer",
    "paged_adamw_8bit": "hf-trainer",
    "paged_ademamix_32bit": "bitsandbytes-ademamix",
    "paged_ademamix_8bit": "bitsandbytes-ademamix",
    "paged_lion_32bit": "bitsandbytes-lion",
    "paged_lion_8bit": "bitsandbytes-lion",
    "rmsprop": "pytorch-rmsprop",
    "rmsprop_bnb": "bitsandbytes-rmsprop",
    "rmsprop_bnb_8bit": "bitsandbytes-rmsprop",
    "rmsprop_bnb_32bit": "bitsandbytes-rmsprop",
    "galore_adamw": None,
    "galore_adamw_8bit": None,
    "galore_adafactor": None,
    "galore_adamw_layerwise": None,
    "galore_adamw_8bit_layerwise": None,
    "galore_adafactor_layerwise": None,
    "lomo": None,
    "adalomo": None,
    "grokadamw": "grokadamw",
    "schedule_free_radam": "hf-trainer-schedule-free-radam",
    "schedule_free_adamw": "schedule-free",
    "schedule_free_sgd": "schedule-free",
    "apollo_adamw": None,
    "apollo_adamw_layerwise": None,
    "stable_adamw": "optimi-stableadamw",
}


def arguments(**changes):
    settings = {
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-4,
        "weight_decay": 0.1,
        "num_train_epochs": 2,
        "lr_scheduler_kwargs": None,
        "max_grad_norm": 1.0,
    }
    return json.dumps({**settings, **changes})


def test_a_shell_script_gives_flags_variables_and_devices(tmp_path):
    made = read(tmp_path, "run.sh", SHELL)
    assert (made.kind, made.convention, made.value) == ("hf-trainer", "hf-trainer", "0.05")
    assert made.run.examples_per_step == 32
    assert made.schedule == "linear:warmup=100"
    assert shrink(made) == pytest.approx(1e-6)
    assert quantity(made, "world_size").where == "the launcher"
    assert origins(made)["optimizer"] == "default"
    assert any("ds.json" in note for note in made.notes)


def test_a_given_world_size_multiplies_the_batch(tmp_path):
    made = read(tmp_path, "a.json", arguments(), world_size="8")
    assert made.run.examples_per_step == 32


def test_every_default_that_entered_is_told(tmp_path):
    made = read(tmp_path, "a.json", arguments())
    assert made.betas == ("0.9", "0.999")
    assert any("lr" not in note and "beta2 0.999" in note for note in made.whole_notes)
    assert any("--world-size" in note for note in made.whole_notes)
    assert made.not_used == ()


@pytest.mark.parametrize(("optim", "convention"), OPTIM.items())
def test_every_optim_of_the_trainer_is_mapped_or_refused(tmp_path, optim, convention):
    made = read(tmp_path, "a.json", arguments(optim=optim))
    assert made.convention == convention
    assert convention is None or find(convention)
    if convention is None:
        assert (made.value, shrink(made)) == (None, None)
        assert made.refusal


def test_an_optim_of_another_release_is_refused_by_its_name(tmp_path):
    made = read(tmp_path, "a.json", arguments(optim="adamw_of_another_release"))
    assert made.refusal == "optim 'adamw_of_another_release' has no convention here"


@pytest.mark.parametrize("optim", ["galore_adamw", "apollo_adamw_layerwise", "lomo", "adalomo"])
def test_a_number_that_the_trainer_does_not_pass_on_is_no_decay(tmp_path, optim):
    made = read(tmp_path, "a.json", arguments(optim=optim))
    assert "does not pass weight_decay" in made.refusal


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"optim": "sgd", "optim_args": "momentum=0.9"}, 1e-4),
        ({"optim": "sgd", "optim_args": "momentum=0.9,nesterov=true"}, 1e-4),
        ({"optim": "sgd"}, 1e-5),
        ({"optim": "sgd", "optim_args": {"momentum": 0.9}}, 1e-4),
        ({"optim": "sgd", "optim_args": '{"momentum": 0.9}'}, 1e-4),
        ({"optim": "sgd", "optim_args": "{momentum"}, 1e-5),
        ({"optim": "sgd", "optim_args": ["momentum=0.9", "x"]}, 1e-4),
        ({"optim": "sgd", "optim_args": "betas=0.9,0.99,momentum=0.9"}, 1e-4),
    ],
)
def test_optim_args_reach_the_optimizer(tmp_path, changes, value):
    assert shrink(read(tmp_path, "a.json", arguments(**changes))) == pytest.approx(value)


@pytest.mark.parametrize(
    ("changes", "convention"),
    [
        ({"adafactor": True}, "hf-adafactor"),
        ({"optim": "OptimizerNames.ADAMW_TORCH"}, "hf-trainer"),
        ({"optim": "stable_adamw", "optim_args": "decouple_lr=True"}, "optimi-decoupled"),
    ],
)
def test_other_settings_choose_the_optimizer_too(tmp_path, changes, convention):
    assert read(tmp_path, "a.json", arguments(**changes)).convention == convention


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({}, "linear"),
        ({"warmup_steps": 500}, "linear:warmup=500"),
        ({"warmup_ratio": 0.1}, "linear:warmup=10%"),
        ({"warmup_steps": 0.05}, "linear:warmup=5%"),
        ({"warmup_steps": 100, "warmup_ratio": 0.5}, "linear:warmup=100"),
        ({"lr_scheduler_type": "SchedulerType.COSINE"}, "cosine"),
        ({"lr_scheduler_type": "constant", "warmup_steps": 100}, "constant"),
        ({"lr_scheduler_type": "constant_with_warmup", "warmup_steps": 9}, "constant:warmup=9"),
        ({"lr_scheduler_type": "polynomial"}, "polynomial:power=1,final=0.001"),
        (
            {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"power": 2, "lr_end": 0}},
            "polynomial:power=2,final=0",
        ),
        ({"lr_scheduler_type": "inverse_sqrt", "warmup_steps": 9}, "inverse-sqrt:warmup=9"),
        (
            {"lr_scheduler_type": "inverse_sqrt", "lr_scheduler_kwargs": {"timescale": 50}},
            "inverse-sqrt:timescale=50",
        ),
        ({"lr_scheduler_type": "cosine_with_restarts"}, "cosine-restarts:cycles=1"),
        (
            {"lr_scheduler_type": "cosine_with_restarts", "lr_scheduler_kwargs": {"num_cycles": 3}},
            "cosine-restarts:cycles=3",
        ),
        ({"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"num_cycles": 1.5}}, None),
        (
            {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr": 1e-5}},
            "cosine:final=0.1",
        ),
        (
            {
                "lr_scheduler_type": "cosine_with_min_lr",
                "lr_scheduler_kwargs": '{"min_lr_rate": 0.2}',
            },
            "cosine:final=0.2",
        ),
        ({"lr_scheduler_type": "cosine_with_min_lr"}, None),
        (
            {
                "lr_scheduler_type": "warmup_stable_decay",
                "warmup_steps": 10,
                "lr_scheduler_kwargs": {"num_decay_steps": 20, "min_lr_ratio": 0.1},
            },
            "wsd:decay=20,shape=cosine,final=0.1,warmup=10,start=0.1",
        ),
        (
            {
                "lr_scheduler_type": "warmup_stable_decay",
                "lr_scheduler_kwargs": {"num_decay_steps": 20, "min_lr_ratio": 0.1},
            },
            "wsd:decay=20,shape=cosine,final=0.1",
        ),
        *(
            (
                {
                    "lr_scheduler_type": "warmup_stable_decay",
                    "lr_scheduler_kwargs": {"num_decay_steps": 20, **more},
                },
                None,
            )
            for more in ({"warmup_type": "cosine"}, {"num_stable_steps": 10}, {"num_cycles": 1})
        ),
        (
            {
                "lr_scheduler_type": "cosine_warmup_with_min_lr",
                "warmup_steps": 10,
                "lr_scheduler_kwargs": {"min_lr_rate": 0.2},
            },
            "cosine_warmup_with_min_lr:final=0.2,warmup=10",
        ),
        (
            {
                "lr_scheduler_type": "cosine_warmup_with_min_lr",
                "lr_scheduler_kwargs": {"min_lr_rate": 0.2, "warmup_lr_rate": 0.1},
            },
            None,
        ),
        ({"lr_scheduler_type": "cosine_warmup_with_min_lr"}, None),
        (
            {
                "lr_scheduler_type": "cosine_with_min_lr",
                "lr_scheduler_kwargs": {"min_lr_rate": 0.2, "num_cycles": 1.5},
            },
            None,
        ),
        ({"lr_scheduler_type": "warmup_stable_decay"}, None),
        ({"lr_scheduler_type": "reduce_lr_on_plateau"}, None),
    ],
)
def test_schedulers_become_schedules(tmp_path, changes, schedule):
    made = read(tmp_path, "a.json", arguments(**changes))
    assert made.schedule == schedule
    if schedule is None:
        assert any("has no equal here" in note for note in made.notes)


@pytest.mark.parametrize(
    ("changes", "steps", "epochs"),
    [({"max_steps": 100}, 100, None), ({"max_steps": -1}, None, 2), ({"max_steps": 0}, None, 2)],
)
def test_max_steps_above_0_beat_the_epochs(tmp_path, changes, steps, epochs):
    run = read(tmp_path, "a.json", arguments(**changes)).run
    assert (run.steps, run.epochs) == (steps, epochs)
    given = read(tmp_path, "a.json", arguments(**changes), epochs="7").run
    assert (given.steps, given.epochs) == (None, 7)


def test_max_steps_that_only_a_run_tells_leave_the_length_open(tmp_path):
    flags = "--learning_rate 1e-4 --num_train_epochs 2 --per_device_train_batch_size 4"
    run = read(tmp_path, "run.sh", f"python train.py {flags} --max_steps $1\n").run
    assert (run.steps, run.epochs) == (None, None)


OWN = '{"optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 2}}'


@pytest.mark.parametrize(
    ("section", "expected", "note"),
    [
        ({"optimizer": {"type": "AdamW"}}, ("nothing", "linear"), "sets the optimizer itself"),
        (
            {"scheduler": {"type": "WarmupLR", "params": {"warmup_type": "linear"}}},
            ("names with bias", "constant:warmup=1000,delay=1"),
            "sets the scheduler itself",
        ),
        (OWN, ("nothing", "linear"), "sets the optimizer itself"),
        ({"zero_optimization": {}}, ("names with bias", "linear"), ""),
        (None, ("names with bias", "linear"), ""),
        ("", ("names with bias", "linear"), ""),
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_deepspeed_file_may_take_optimizer_and_scheduler(
    tmp_path, section, expected, note, beside
):
    if beside and section:
        text = section if isinstance(section, str) else json.dumps(section)
        (tmp_path / "ds.json").write_text(text)
        section = "ds.json"
    made = read(tmp_path, "a.json", arguments(deepspeed=section))
    rule, schedule = expected
    assert (made.exempt.rule.startswith(rule), made.schedule) == (True, schedule)
    told = [each for each in made.notes if "DeepSpeed file" in each]
    assert bool(told) == bool(note)
    assert not note or note in told[0]


AUTO = {"warmup_num_steps": "auto", "warmup_max_lr": "auto", "warmup_min_lr": "auto",
        "total_num_steps": "auto"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"warmup_steps": 50, "max_steps": 200}, "linear:warmup=50,ramp=log,delay=1"),
        (
            {"warmup_steps": 50, "lr_scheduler_type": "constant"},
            "linear:warmup=50,ramp=log,delay=1",
        ),
        ({}, "linear:warmup=2,ramp=log,delay=1"),
        ({"warmup_ratio": 0.1}, None),
        ({"warmup_ratio": 0.07, "max_steps": 101}, "linear:warmup=8,ramp=log,delay=1"),
        ({"learning_rate": None, "packing": True}, None),
    ],
)
def test_what_a_deepspeed_scheduler_leaves_open_the_arguments_fill(tmp_path, changes, schedule):
    section = {"scheduler": {"type": "WarmupDecayLR", "params": AUTO}}
    made = read(tmp_path, "a.json", arguments(deepspeed=section, **changes))
    assert made.schedule == schedule
    assert made.open_schedule is None or schedule is None


def test_a_deepspeed_optimizer_is_the_one_that_trains(tmp_path):
    section = {"optimizer": {"type": "Adam", "params": {"adam_w_mode": False, "lr": "auto"}}}
    assert read(tmp_path, "a.json", arguments(deepspeed=section)).convention == "pytorch-adam"


def test_a_deepspeed_file_that_is_not_here_is_said(tmp_path):
    made = read(tmp_path, "a.json", arguments(deepspeed="none.json"))
    assert any("'none.json' may set the optimizer" in each for each in made.notes)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"accelerator_config": {"split_batches": True}}, 4),
        ({"accelerator_config": {"split_batches": False}}, 32),
        ({"split_batches": True}, 4),
    ],
)
def test_a_batch_that_is_split_counts_all_devices(tmp_path, changes, size):
    text = arguments(**changes)
    given = {} if size == 4 else {"world_size": "8"}
    assert read(tmp_path, "a.json", text, **given).run.examples_per_step == size


@pytest.mark.parametrize(
    ("changes", "devices"),
    [
        ({"train_batch_size": 16, "eval_batch_size": 16}, 4),
        ({"train_batch_size": 4, "eval_batch_size": 16}, 1),
        ({"train_batch_size": 6, "eval_batch_size": 16}, 1),
        ({"train_batch_size": 16}, 1),
    ],
)
def test_a_dump_tells_the_devices_of_its_process(tmp_path, changes, devices):
    assert read(tmp_path, "a.json", arguments(**changes)).run.world_size == devices


def test_the_old_batch_key_replaces_the_new_one(tmp_path):
    made = read(tmp_path, "a.json", arguments(per_gpu_train_batch_size=2))
    assert made.run.examples_per_step == 2
    assert not read(tmp_path, "a.json", arguments(per_gpu_train_batch_size=None)).run.drop_last
    assert read(tmp_path, "a.json", arguments(dataloader_drop_last=True)).run.drop_last


@pytest.mark.parametrize(
    ("changes", "unit"),
    [
        ({}, "examples"),
        ({"packing": True}, "packed sequences"),
        ({"num_generations": 8}, "prompts of 8 completions"),
    ],
)
def test_what_is_counted_follows_from_the_trainer(tmp_path, changes, unit):
    assert read(tmp_path, "a.json", arguments(**changes)).unit == unit


@pytest.mark.parametrize(
    "changes", [{"max_length": 512}, {"dataset_name": "acme/x", "model_name_or_path": "acme/y"}]
)
def test_trls_learning_rate_is_missing_rather_than_guessed(tmp_path, changes):
    made = read(tmp_path, "a.json", arguments(learning_rate=None, **changes))
    assert made.run.lr is None
    assert "lr" in made.missing
    assert "TRL" in quantity(made, "lr").note


def test_without_a_sign_of_trl_the_default_lr_holds(tmp_path):
    assert float(read(tmp_path, "a.json", arguments(learning_rate=None)).run.lr) == 5e-5


def test_a_dump_of_weights_and_biases_is_unwrapped(tmp_path):
    lines = {"per_device_train_batch_size": 16, "num_train_epochs": 4, "weight_decay": 0.01}
    text = "wandb_version: 1\n_wandb:\n  value:\n    cli_version: 0.19.0\n"
    text += "".join(f"{key}:\n  desc: null\n  value: {value}\n" for key, value in lines.items())
    made = read(tmp_path, "config.yaml", text)
    assert (made.value, made.run.examples_per_step) == ("0.01", 16)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "it sets nothing"),
        ('{"learning_rate": 1}', "not enough of any trainer's own keys"),
        ("{" * 100_000, "not JSON|nested"),
        (
            '{"weight_decay": true, "per_device_train_batch_size": 1, "optim_args": null}',
            "a number",
        ),
        ('{"weight_decay": {}, "per_device_train_batch_size": 1, "optim_args": null}', "a number"),
        (
            '{"weight_decay": 0, "per_device_train_batch_size": 0.5, "optim_args": ""}',
            "whole number",
        ),
        (
            '{"warmup_ratio": 0, "per_device_train_batch_size": 1, "adafactor": "x"}',
            "true nor false",
        ),
        ('{"warmup_ratio": 0, "per_device_train_batch_size": 1, "learning_rate": -1}', "lr"),
    ],
)
def test_broken_arguments_are_refused(tmp_path, text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        read(tmp_path, "a.json", text)


def test_keys_that_sound_relevant_and_are_not_read_are_named_once(tmp_path):
    made = read(
        tmp_path,
        "a.json",
        arguments(lr_mix=2, lr_none=False, hub_strategy="x", beta=0.1, eval_steps=5),
    )
    assert made.not_used == ("lr_mix",)


def test_weights_stored_in_bfloat16_are_told_with_their_line(tmp_path):
    text = (
        "per_device_train_batch_size: 4\nnum_train_epochs: 3\nlearning_rate: 5.0e-5\nbf16: true\n"
    )
    found = next(each for each in read(tmp_path, "a.yaml", text).quantities if each.name == "dtype")
    assert (found.value, found.where, found.line) == ("bfloat16", "bf16", 4)
    plain = read(tmp_path, "b.yaml", text.replace("true", "false"))
    assert "dtype" not in {each.name for each in plain.quantities}


@pytest.mark.parametrize(
    ("more", "epochs"),
    [("num_epochs: 2\n", 2), ("num_epochs: 1\nnum_mini_batches: 4\n", None), ("", 3)],
)
def test_epochs_under_the_name_of_programs_beside_the_trainer(tmp_path, more, epochs):
    text = "per_device_train_batch_size: 2\nlr_scheduler_type: linear\nlearning_rate: 1e-4\n"
    found = read(tmp_path, "a.yaml", text + more)
    assert found.run.epochs == epochs
    assert ("epochs" in found.missing) == (epochs is None)
    assert not found.not_used


@pytest.mark.parametrize(("program", "lr"), [("run_clm.py", "5e-5"), ("sft.py", None)])
def test_only_trl_s_programs_have_a_learning_rate_of_their_own(tmp_path, program, lr):
    text = (
        f"python {program} --model_name_or_path a --dataset_name b --num_train_epochs 1"
        " --per_device_train_batch_size 2\n"
    )
    assert quantity(read(tmp_path, "run.sh", text), "lr").value == lr


@pytest.mark.parametrize("shape", ["linear,until=2+file:other.csv", "linear+file:x", "a b"])
def test_a_files_own_words_bring_no_segment_that_reads_another_file(tmp_path, shape):
    text = json.dumps(
        {"num_train_epochs": 3, "per_device_train_batch_size": 4, "learning_rate": 1e-4,
         "lr_scheduler_type": "warmup_stable_decay",
         "lr_scheduler_kwargs": {"num_decay_steps": 10, "decay_type": shape}}
    )  # fmt: skip
    with pytest.raises(UnreadableFileError, match="schedule"):
        read(tmp_path, "a.json", text)


@pytest.mark.parametrize(
    "beside", ['"optim": "adamw_torch"', '"max_steps": 9', '"output_dir": "x"']
)
def test_the_batch_of_a_device_beside_one_other_name_is_the_trainers(tmp_path, beside):
    text = f'{{"per_device_train_batch_size": 8, "learning_rate": 5e-5, {beside}}}'
    assert read(tmp_path, "a.json", text).kind == "hf-trainer"


@pytest.mark.parametrize(
    "flag",
    [
        "train_batch_size 8",
        "bert_model a",
        "actor_learning_rate 1e-5",
        "warmup_proportion 0",
        "warmup_percentage 0.1",
        "checkpointing_steps 9",
        "adam_weight_decay 0",
        "snr_gamma 5",
    ],
)
def test_another_program_s_flags_are_not_the_trainer_s(tmp_path, flag):
    text = "python a.py --num_train_epochs 3 --gradient_accumulation_steps 2"
    assert read(tmp_path, "a.sh", f"{text}\n").kind == "hf-trainer"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.sh", f"{text} --{flag}\n")


def test_a_trainer_whose_names_are_the_trainer_s_in_part_is_another(tmp_path):
    text = "num_train_epochs: 3\ngradient_accumulation_steps: 2\nbatch_size: 16\n"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.yaml", f"{text}dev_batch_size: 64\n")


def test_an_optimizer_that_only_a_run_tells_is_not_known(tmp_path):
    flags = "--learning_rate 1e-4 --num_train_epochs 2 --per_device_train_batch_size 4"
    made = read(tmp_path, "run.sh", f"python train.py {flags} --optim $1\n")
    assert made.refusal == "optim is not known"


@pytest.mark.parametrize("line", ['adam_betas: "(0.9, 0.98)"', "warmup_proportion: 0.1"])
def test_a_program_with_names_that_no_argument_of_the_trainer_has_is_another(tmp_path, line):
    text = "per_gpu_train_batch_size: 2\nnum_train_epochs: 1\nlearning_rate: 2e-5\n"
    text += "gradient_accumulation_steps: 8\nadam_epsilon: 1e-6\nmax_grad_norm: 1.0\n"
    assert read(tmp_path, "a.yaml", text).kind == "hf-trainer"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "b.yaml", f"{text}{line}\n")
