"""Optimizer classes by path: their conventions and their own defaults."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.training.reading import classes
from decaycalc.training.reading.classes import find_class


@pytest.mark.parametrize(
    ("path", "convention", "decay"),
    [
        ("torch.optim.AdamW", "pytorch-adamw", "0.01"),
        ("torch.optim.adamw.AdamW", "pytorch-adamw", "0.01"),
        ("AdamW", "pytorch-adamw", "0.01"),
        ("adamw", "pytorch-adamw", "0.01"),
        ("torch.optim.SGD", "pytorch-sgd", "0"),
        ("bitsandbytes.optim.PagedAdamW8bit", "bitsandbytes-adamw", "0.01"),
        ("bitsandbytes.optim.Lion32bit", "bitsandbytes-lion", "0"),
        ("lion_pytorch.Lion", "lion-pytorch", "0"),
        ("transformers.optimization.Adafactor", "hf-adafactor-relative", "0"),
        ("apex.optimizers.FusedLAMB", "apex-fused-lamb", "0.01"),
        ("deepspeed.ops.adam.FusedAdam", "deepspeed-adam", "0"),
        ("schedulefree.AdamWScheduleFree", "schedule-free", "0"),
        ("prodigyopt.Prodigy", "prodigy", "0"),
        ("torchao.optim.AdamW8bit", "pytorch-adamw", "0.01"),
        ("torchao.optim.AdamWFp8", "pytorch-adamw", "0.01"),
        ("paddle.optimizer.AdamW", "paddle-adamw", "0.01"),
        ("paddle.optimizer.Momentum", "paddle-momentum", "0"),
    ],
)
def test_the_library_of_the_path_decides(path, convention, decay):
    found = find_class(path)
    assert (found.convention, found.weight_decay) == (convention, decay)
    assert found.library


@pytest.mark.parametrize("path", ["", "torch.optim.Magic", "acme.AdamW", "paddle.optimizer.Magic"])
def test_what_is_not_known_is_none(path):
    assert find_class(path) is None


def test_a_bare_name_takes_the_library_that_is_said():
    assert find_class("AdamW", library="paddle").convention == "paddle-adamw"


def test_a_flag_of_the_class_turns_the_decay_decoupled():
    found = find_class("torch.optim.Adam")
    assert found.flags == ("decoupled_weight_decay",)
    flags = {"decoupled_weight_decay": True}
    assert found.optimizer(flags).convention == "pytorch-adam-decoupled"
    assert found.optimizer().convention == "pytorch-adam"
    assert find_class("SGD").optimizer(flags).convention == "pytorch-sgd"


def test_flags_without_a_record_are_refused_by_their_names():
    made = find_class("transformers.Adafactor").optimizer({"relative_step": False})
    assert made.convention is None
    assert "relative_step false" in made.refusal


TABLES = (classes._OF_TORCH, classes._OF_BITSANDBYTES, classes._OTHERS)


@pytest.mark.parametrize("found", [each for table in TABLES for each in table.values()], ids=str)
def test_every_convention_is_one_of_the_catalogues(found):
    assert find(found.convention)
    assert all(find(mode.convention) for mode in found.modes if mode.convention)
