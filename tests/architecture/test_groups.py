import subprocess
from fractions import Fraction

import pytest

from decaycalc.architecture.groups import Choice, group_tensors, lr_multiples, treatments
from decaycalc.architecture.inline import parse_inline
from decaycalc.architecture.inventory import Rate, take_inventory
from decaycalc.architecture.masks import FRAMEWORKS, RULES, decayed, find_mask
from decaycalc.architecture.names import count_choices, match_names
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.architecture.treatment import parse_group_rule
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import ContradictionError, InvalidValueError, UnknownNameError
from tests.architecture.counting import count_decayed


def tensor(name, *shape, role=Role.WEIGHT, kind=""):
    return Tensor(name=name, shape=shape, role=role, norm_kind=kind)


MIXED = Architecture(
    name="mixed",
    tensors=(
        tensor("lin.weight", 3, 3),
        tensor("lin.bias", 3, role=Role.BIAS),
        tensor("bn1.weight", 3, role=Role.NORM, kind="batch"),
        tensor("bn1.bias", 3, role=Role.NORM, kind="batch"),
        tensor("ln.weight", 3, role=Role.NORM, kind="layer"),
        tensor("ln.bias", 3, role=Role.NORM, kind="layer"),
        tensor("gn.weight", 3, role=Role.NORM, kind="group"),
        tensor("norm.weight", 3, role=Role.NORM),
        tensor("emb.weight", 5, 3, role=Role.EMBEDDING),
        tensor("norm_head.weight", 3, 3),
        tensor("norm_head.bias", 3, role=Role.BIAS),
        tensor("scale", 3, role=Role.OTHER),
        tensor("wpe.weight", 4, 3, role=Role.POSITION),
        tensor("pos_embed", 1, 4, 3, role=Role.POSITION),
        tensor("q_norm.weight", 3, role=Role.NORM, kind="rms"),
        tensor("3.weight", 3, role=Role.NORM, kind="layer"),
        tensor("4.weight", 3, role=Role.NORM, kind="batch"),
    ),
)


def exempt(mask):
    pairs = zip(MIXED.tensors, decayed(MIXED, mask=mask), strict=True)
    return {tensor.name for tensor, mark in pairs if not mark}


BIASES = {"lin.bias", "norm_head.bias"}
SHIFTS = {"bn1.bias", "ln.bias"}
GAINS = {
    "bn1.weight",
    "ln.weight",
    "gn.weight",
    "norm.weight",
    "q_norm.weight",
    "3.weight",
    "4.weight",
}


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        ("all", set()),
        ("no-bias", BIASES | SHIFTS),
        ("no-1d", BIASES | SHIFTS | GAINS | {"scale"}),
        ("timm", BIASES | SHIFTS | GAINS | {"scale"}),
        ("matrices", BIASES | SHIFTS | GAINS | {"scale"}),
        ("no-norm", SHIFTS | GAINS),
        ("no-bias-norm", BIASES | SHIFTS | GAINS),
        ("ultralytics", BIASES | SHIFTS | GAINS),
        ("open-clip", BIASES | SHIFTS | GAINS | {"scale"}),
        ("no-embedding", BIASES | SHIFTS | GAINS | {"scale", "emb.weight", "wpe.weight"}),
        ("olmo", {"emb.weight"}),
        ("hf", BIASES | SHIFTS | {"ln.weight", "norm.weight", "q_norm.weight", "3.weight"}),
    ],
)
def test_a_mask_exempts_exactly_what_its_framework_does(mask, names):
    assert exempt(mask) == names


def test_a_framework_or_its_convention_stands_for_its_mask():
    assert exempt("fastai") == exempt("no-bias-norm")
    assert exempt("keras-adamw") == set()
    assert set(FRAMEWORKS.values()) <= set(RULES)
    with pytest.raises(UnknownNameError, match="did you mean 'no-embedding'"):
        find_mask("no-embeding")


def test_the_embeddings_of_language_models_are_tables_of_words_and_places():
    net = find_model("bert-base")
    difference = count_decayed(net) - count_decayed(net, mask="no-embedding")
    assert difference == 23_835_648
    vision = find_model("vit-base")
    assert count_decayed(vision) == count_decayed(vision, mask="no-embedding")


def test_the_trainer_spares_what_is_called_rmsnorm():
    net = Architecture(name="rms", tensors=(tensor("q.rmsnorm_scale", 3, role=Role.OTHER),))
    assert decayed(net, mask="hf") == (False,)
    assert decayed(net, mask="all") == (True,)


def test_the_trainer_decays_batch_norm_gains_alone():
    net = find_model("resnet18")
    kept = [t.name for t, mark in zip(net.tensors, decayed(net, mask="hf"), strict=True) if mark]
    assert "bn1.weight" in kept
    assert "layer2.0.downsample.1.weight" in kept
    vit = find_model("vit_b_16")
    assert count_decayed(vit, mask="hf") == count_decayed(vit)
    for name in ("llama-3.2-1b", "t5-small", "convnext-tiny", "torchvision/convnext_tiny"):
        net = find_model(name)
        spared = [
            t for t, mark in zip(net.tensors, decayed(net, mask="hf"), strict=True) if not mark
        ]
        assert all(t.role in {Role.NORM, Role.BIAS} or "relative" in t.name for t in spared)


NET = parse_inline("784-300-100-10")


def decay_factors(net, **choice):
    return tuple(each.decay.ratio(None) for each in treatments(net, Choice(**choice)))


def rules(*texts):
    return tuple(map(parse_group_rule, texts))


def test_patterns_change_what_a_mask_says():
    assert decay_factors(NET) == (1, 0, 1, 0, 1, 0)
    assert decay_factors(NET, no_decay=("^fc3",)) == (1, 0, 1, 0, 0, 0)
    assert decay_factors(NET, decay_only=("bias$",)) == (0, 1, 0, 1, 0, 1)
    assert decay_factors(NET, decay_only=("fc1", "fc2"), no_decay=("bias",)) == (1, 0, 1, 0, 0, 0)


def test_the_last_rule_that_fits_and_sets_a_number_counts():
    found = decay_factors(NET, groups=rules("fc1:wd*0.5", "fc:wd*2", "fc3:wd*0", "fc1:lr*3"))
    assert found == (2, 0, 2, 0, 0, 0)


def test_a_rule_leaves_exempt_what_the_mask_exempts():
    made = treatments(NET, Choice(groups=rules("fc1:lr=0.1,wd=0.2")))
    assert [each.is_exempt for each in made] == [False, True] * 3
    assert made[1].lr.of(None) == made[0].lr.of(None) == Fraction(1, 10)
    assert made[0].decay.of(None) == Fraction(1, 5)


def test_a_rule_that_changes_nothing_is_refused():
    with pytest.raises(InvalidValueError, match="fits no tensor"):
        treatments(NET, Choice(groups=rules("conv:lr*2")))
    with pytest.raises(ContradictionError, match="has no effect"):
        treatments(NET, Choice(groups=rules("bias:wd=0.1")))


def groups_of(net, choice):
    return group_tensors(net, treatments(net, choice))


def test_groups_gather_what_shares_decay_and_lr():
    found = take_inventory(NET, choice=Choice(groups=rules("fc1:wd*0.5")), rate=Rate(shrink=2e-4))
    rows = [
        (group["name"], group["decay_mult"], group["n_tensors"]) for group in groups_json(found)
    ]
    assert rows == [("fc1", 0.5, 1), ("decayed", 1, 2), ("exempt", 0, 3)]
    assert [group.n_weights for group in found.groups] == [235_200, 31_000, 410]
    assert [rate.shrink for rate in found.rates] == [1e-4, 2e-4, 0]
    assert groups_of(parse_inline("1e6"), Choice()) == ()


def groups_json(found):
    return found.to_dict()["groups"]


def test_a_number_of_its_own_has_a_ratio_once_the_runs_is_known():
    choice = Choice(groups=rules("fc1:lr=0.4,wd=0.3"))
    known = take_inventory(NET, choice=choice, rate=Rate(value=0.1, lr=0.1, shrink=0.01))
    row = groups_json(known)[0]
    assert (row["lr"], row["weight_decay"]) == (0.4, 0.3)
    assert (row["lr_mult"], row["decay_mult"], row["shrink"]) == (4, 3, pytest.approx(0.12))
    entry = known.to_dict()["tensors"][0]
    assert (entry["lr_mult"], entry["decay_mult"]) == (4, 3)
    unknown = groups_json(take_inventory(NET, choice=choice))[0]
    assert (unknown["lr"], unknown["weight_decay"]) == (0.4, 0.3)
    assert unknown["lr_mult"] is unknown["decay_mult"] is unknown["shrink"] is None


def test_layer_decay_grows_lr_from_the_inputs_to_the_head():
    net = find_model("vit-tiny")
    scales = dict(zip((t.name for t in net.tensors), lr_multiples(net, 0.5), strict=True))
    assert scales["pos_embed"] == scales["patch_embed.proj.weight"] == 0.5**13
    assert scales["blocks.0.norm1.weight"] == 0.5**12
    assert scales["blocks.11.mlp.fc2.bias"] == 0.5
    assert scales["head.weight"] == 1
    assert scales["norm.weight"] == 0.5
    torchvision = find_model("vit_b_16")
    assert min(lr_multiples(torchvision, 0.5)) == 0.5**13
    assert lr_multiples(NET, 0.5) == (0.25, 0.25, 0.5, 0.5, 1, 1)
    assert lr_multiples(NET, None) == (1,) * 6


@pytest.mark.parametrize(
    "choice",
    [
        {"layer_decay": 0.0},
        {"layer_decay": 1.5},
        {"layer_decay": float("nan")},
    ],
)
def test_a_layer_decay_has_bounds(choice):
    with pytest.raises(InvalidValueError):
        Choice(**choice)


def test_a_bare_count_has_no_names_to_match():
    with pytest.raises(ContradictionError, match="no tensor names"):
        treatments(parse_inline("1e6"), Choice(no_decay=("x",)))
    with pytest.raises(ContradictionError, match="no tensor names"):
        treatments(parse_inline("1e6"), Choice(layer_decay=0.5))


def test_names_are_matched_by_regular_expressions():
    names = ("layer1.0.conv1.weight", "fc.bias")
    assert match_names(r"\.weight$", names) == (True, False)
    assert match_names("(layer|fc).*(weight|bias)+", names) == (True, True)


@pytest.mark.parametrize("pattern", ["(", "a" * 1001, "*", "a{99999999999}"])
def test_a_broken_pattern_is_refused(pattern):
    with pytest.raises(InvalidValueError, match="pattern"):
        match_names(pattern, ("a",))


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "(.|a)+x", "a?" * 30 + "b", "(a?){40}b"],
)
def test_a_catastrophic_pattern_is_stopped(pattern):
    with pytest.raises(InvalidValueError, match="takes too long"):
        match_names(pattern, ("a" * 60 + "!",), seconds=0.3)


@pytest.mark.parametrize(
    ("pattern", "choices"),
    [
        ("bias|norm", 0), (r"layers\.\d+\.", 1), ("(?:weight|bias)$", 1), ("(?i)norm", 0),
        ("[+*|]x+", 1), (r"\+\*", 0), ("(ab)?", 2), ("[]*]", 0),
    ],
)  # fmt: skip
def test_the_choices_of_a_pattern_are_counted(pattern, choices):
    assert count_choices(pattern) == choices


def test_on_long_names_one_repetition_is_matched_apart():
    assert match_names(".*x", ("a" * 4000,)) == (False,)


def test_the_matching_process_takes_any_name(monkeypatch):
    assert match_names("a+b+", ("aab", "\ud800x", "é\n")) == (True, False, False)
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda *args, **_more: calls.append(args))
    assert match_names("a+", ("aab",)) == (True,)
    assert calls == []


def test_an_inventory_counts_and_prices_every_tensor():
    rate = Rate(value=1e-4, strength=1e-4, shrink=1e-5, lr=0.1)
    found = take_inventory(NET, rate=rate)
    assert (found.n_decayed, found.n_exempt) == (266_200, 410)
    assert (found.n_decayed_tensors, found.n_exempt_tensors) == (3, 3)
    assert found.sum_of_squares == pytest.approx(820)
    assert found.penalty == pytest.approx(0.041)
    assert found.initial_loss == pytest.approx(2.302585, rel=1e-6)
    body = found.to_dict()
    assert body["tensors"][1]["penalty"] == 0
    assert body["groups"][0]["shrink"] == 1e-5
    assert body["tensors"][0]["shape"] == [300, 784]


def test_measured_sums_take_the_place_of_expected_ones():
    sums = {t.name: float(t.n_weights) for t in NET.tensors}
    found = take_inventory(NET, rate=Rate(strength=2.0), measured=sums)
    assert found.measured_sum_of_squares == 266_200
    assert found.penalty == 266_200
    assert found.entries[0].measured_rms == 1
    assert take_inventory(NET).entries[0].measured_rms is None


def test_what_is_unknown_stays_unknown():
    net = Architecture(name="n", tensors=(tensor("w", 2, 2), tensor("b", 2, role=Role.BIAS)))
    found = take_inventory(net, rate=Rate(strength=1.0))
    assert found.sum_of_squares is found.penalty is found.initial_loss is None
    assert take_inventory(parse_inline("1e6"), classes=10).n_decayed == 10**6
    empty = Architecture(name="n", tensors=(tensor("w", 2, 2), tensor("e", 0, 2)))
    measured = take_inventory(empty, measured={"w": 1.0, "e": 0.0})
    assert measured.entries[1].measured_rms is None


def test_parameter_groups_are_ready_for_an_optimizer():
    plain = take_inventory(NET).parameter_groups()
    assert plain == [
        {"params": ["fc1.weight", "fc2.weight", "fc3.weight"]},
        {"params": ["fc1.bias", "fc2.bias", "fc3.bias"], "weight_decay": 0.0},
    ]
    choice = Choice(groups=rules("fc1:wd*0.5"))
    priced = take_inventory(NET, choice=choice, rate=Rate(value=0.1, lr=0.01))
    assert [group.get("weight_decay") for group in priced.parameter_groups()] == [0.05, 0.1, 0.0]
    assert priced.parameter_groups()[0]["lr"] == 0.01
    with pytest.raises(ContradictionError, match="need a VALUE"):
        take_inventory(NET, choice=choice).parameter_groups()
    layered = take_inventory(find_model("vit-tiny"), choice=Choice(layer_decay=0.75))
    with pytest.raises(ContradictionError, match="need an lr"):
        layered.parameter_groups()
