"""A trainer's flag is answered with ours."""

from importlib import import_module

import pytest

from decaycalc.cli import COMMANDS
from decaycalc.cli.foreign_flags import _OURS

# Options that some of our commands have, and others are asked for as trainers' are.
LACKED_BY_SOME = {"--model", "--arch", "-a", "--betas"}


BATCH = "give --batch-size (-B), the examples per device and micro-batch"


@pytest.mark.parametrize(
    ("flag", "way_out"),
    [
        ("--per-device-train-batch-size", BATCH),
        ("--per_device_train_batch_size", BATCH),
        ("--weight-decay", "give VALUE, the first argument: decaycalc convert 0.01 --from KEY"),
        ("--learning_rate", "give --lr"),
        ("--gradient-accumulation-steps", "give --grad-accum"),
        ("--num-train-epochs", "give --epochs"),
        ("--warmup-ratio", "give --schedule, as cosine:warmup=5%,final=0.1"),
        ("--nbs", "give --set nbs=NUMBER"),
        ("--l1-ratio", "give --set l1_ratio=NUMBER"),
        ("--gradient_rms", "give --gradient-rms"),
        ("--batch_size", "give --batch-size"),
        ("--to_lr", "give --to-lr"),
        ("--to-learning-rate", "give --to-lr"),
        ("--epsilon", "give --eps"),
        ("--beta1", "give --betas B1 B2 (of 'decaycalc transfer')"),
        ("--target", "give --to KEY"),
        ("--csv", "give --format csv"),
    ],
)
def test_a_flag_of_another_program_names_ours(run, flag, way_out):
    ran = run("convert", "1e-4", "--from", "pytorch-sgd", flag, "3")
    assert (ran.status, ran.out) == (2, "")
    assert ran.last_error == f"error: no such option {flag!r}; {way_out}"


def test_no_option_of_ours_is_taken_for_another_programs():
    for command in COMMANDS:
        options = import_module(f"decaycalc.cli.{command}").command.params
        flags = (flag for option in options for flag in option.opts if flag[0] == "-")
        for flag in flags:
            assert flag.lstrip("-") not in _OURS or flag in LACKED_BY_SOME


def test_what_is_answered_is_an_option_of_convert_or_its_argument():
    convert = import_module("decaycalc.cli.convert").command
    flags = {flag for option in convert.params for flag in option.opts}
    for way_out in _OURS.values():
        word = way_out.split()[0].rstrip(",")
        assert word in flags | {"VALUE", "--betas"}


@pytest.mark.parametrize(
    ("words", "way_out"),
    [
        (("suggest", "-a", "gpt2"), "; give --parameters, a language model's "),
        (("recipes", "--arch", "gpt2"), "no such option '--arch'"),
        (("transfer", "1", "--table"), "; give --format table"),
        (("schema", "--lambd", "1"), "no such option '--lambd'"),
    ],
)
def test_only_what_the_command_has_is_answered(run, words, way_out):
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert way_out in ran.last_error
    assert way_out.startswith(";") or "give" not in ran.last_error
