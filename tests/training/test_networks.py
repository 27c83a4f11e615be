"""A source's run on a network: which of its tensors decay, by the trainer's own rule or a mask."""

import json
from pathlib import Path

import pytest

import decaycalc
from decaycalc.architecture import parse_architecture
from decaycalc.architecture.masks import RULES, decayed
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import ContradictionError, MissingQuantityError, UndecidableError
from decaycalc.inspection import network_of
from decaycalc.training.published.index import RECIPES
from decaycalc.training.reading.exemptions import of_kinds
from tests.findings.test_reported_cases import ORDINARY
from tests.training.live.frameworks import AdamW, tensor

# The networks that these set-ups train, and how many of their weights decay by the frameworks'
# own rules (tests/conformance/test_ordinary_optimizers.py runs their code on a small one).
NETWORKS = {
    "train_gpt2.py": ("gpt2", "matrices", 124_318_464),
    "args.yaml": ("vit_base_patch16_224", "timm", 86_292_480),
    "OLMo-1B.yaml": ("llama-2-7b", "all", 6_738_415_616),
    "llama3_8b.toml": ("llama-3-8b", "all", 8_030_261_248),
    "trainer.yaml": ("bert-base", "hf", 109_360_128),
}
DETECTRON2 = "SOLVER:\n  IMS_PER_BATCH: 16\n  BASE_LR: 0.02\n  MAX_ITER: 90000\n"


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return put


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_set_up_on_its_network_has_nothing_of_a_warning(name, write):
    spec, mask, n_decayed = NETWORKS[name]
    found = decaycalc.inspect(write(name, ORDINARY[name]), architecture=spec)
    assert [(each.code, each.message) for each in found.findings if each.level != "note"] == []
    network = found.to_dict()["network"]
    assert (network["name"], network["mask"]) == (spec, mask)
    assert network["n_decayed"] == n_decayed
    whole = parse_architecture(spec).n_parameters
    assert network["n_decayed"] + network["n_exempt"] == network["n_parameters"] == whole


@pytest.mark.parametrize("spec", ["resnet50", "swin-tiny", "t5-small"])
@pytest.mark.parametrize("name", ORDINARY)
def test_a_trainers_own_rule_is_never_a_warning_on_other_networks(name, spec, write):
    found = decaycalc.inspect(write(name, ORDINARY[name]), architecture=spec)
    assert [(each.code, each.message) for each in found.findings if each.level != "note"] == []


def test_the_groups_hold_the_tensors_that_decay_and_those_that_do_not(write):
    path = write("args.yaml", ORDINARY["args.yaml"])
    decays, spared = decaycalc.inspect(path, architecture="vit-base").groups
    assert (decays.n_tensors, decays.n_weights) == (50, 86_292_480)
    assert (spared.n_tensors, spared.n_weights, spared.weight_decay) == (102, 275_176, 0)
    assert decaycalc.inspect(path).to_dict()["network"] is None


def test_a_layer_decay_makes_groups_of_a_network_s_layers(write):
    text = "python main_finetune.py --blr 1e-3 --batch_size 256 --layer_decay 0.5 --data_path /d"
    found = decaycalc.inspect(write("run.sh", text), architecture="vit-base")
    decayed = [each for each in found.groups if each.weight_decay]
    assert [each.lr_mult for each in decayed] == [0.5**n for n in range(14)]
    head, last, stem = decayed[0], decayed[1], decayed[-1]
    assert (head.group.name, head.n_tensors, head.n_weights) == ("decayed", 1, 768_000)
    assert (last.group.name, last.n_weights) == ("decayed, lr × 0.5", 12 * 768**2)
    assert (stem.n_tensors, stem.lr) == (1, 1e-3 * 0.5**13)
    assert found.figures.shrink == pytest.approx(5e-5)
    (norms,) = [each for each in found.groups if each.group.name == "exempt"]
    assert norms.n_tensors == 3  # the final norm's two and the head's bias keep lr whole


def test_a_layer_decay_needs_names_that_tell_layers(write):
    text = "python main_finetune.py --blr 1e-3 --layer_decay 0.5 --data_path /d"
    with pytest.raises(UndecidableError, match="not those of a vision transformer"):
        decaycalc.inspect(write("run.sh", text), architecture="resnet50")


def test_the_rules_see_the_tensors_and_a_given_mask_is_the_users(write):
    path = write("train_gpt2.py", ORDINARY["train_gpt2.py"])
    found = decaycalc.inspect(path, architecture="resnet18", mask="no-bias")
    (gap,) = [each for each in found.findings if each.code == "DC202"]
    assert gap.level == "warning"
    assert "bn1.weight" in gap.message
    assert found.training.exempt.rule == "what no-bias exempts"
    own = write("trainer.yaml", ORDINARY["trainer.yaml"])
    (known,) = [each for each in decaycalc.inspect(own, architecture="resnet18").findings
                if each.code == "DC202"]  # fmt: skip
    assert known.level == "note"


def test_a_number_of_zero_decays_no_tensor_and_is_no_fault(write):
    text = ORDINARY["trainer.yaml"].replace("weight_decay: 0.01", "weight_decay: 0.0")
    found = decaycalc.inspect(write("trainer.yaml", text), architecture="gpt2")
    assert found.to_dict()["network"]["n_decayed"] == 0
    assert {each.code for each in found.findings}.isdisjoint({"DC201", "DC203", "DC204", "DC207"})


def test_rules_of_groups_are_laid_over_the_networks_tensors(write):
    path = write("train_gpt2.py", ORDINARY["train_gpt2.py"])
    found = decaycalc.inspect(path, architecture="gpt2", groups=["wte:wd=0"])
    names = {each.group.name: each.n_weights for each in found.groups}
    assert names["wte"] == 50_257 * 768
    assert found.to_dict()["network"]["n_decayed"] == 124_318_464 - 50_257 * 768


def test_detectron2_exempts_norms_alone_and_other_decays_have_no_mask(write):
    path = write("config.yaml", DETECTRON2)
    network = network_of(decaycalc.inspect(path, architecture="resnet18").training)
    assert network is not None
    assert (network["mask"], network["n_exempt"]) == ("no-norm", 9_600)
    own = write("own.yaml", DETECTRON2 + "  WEIGHT_DECAY_NORM: 0.00001\n")
    with pytest.raises(MissingQuantityError, match="decay_mask"):
        decaycalc.inspect(own, architecture="resnet18")


def test_groups_told_in_words_ask_for_a_mask_and_are_left_out_with_a_note(write):
    text = ("optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),"
            " paramwise_cfg=dict(norm_decay_mult=0.0, custom_keys=dict(backbone="
            "dict(lr_mult=0.1))))\n")  # fmt: skip
    path = write("config.py", text)
    with pytest.raises(MissingQuantityError, match=r"\(backbone\) needs decay_mask"):
        decaycalc.inspect(path, architecture="resnet18")
    found = decaycalc.inspect(path, architecture="resnet18", mask="timm")
    assert "its own groups are left out: backbone" in found.training.notes
    assert [each.group.name for each in found.groups] == ["decayed", "exempt"]


def test_other_readings_are_of_the_same_network(write):
    text = ("task: detect\nmode: train\nepochs: 200\nbatch: 24\noptimizer: auto\nlr0: 0.01\n"
            "lrf: 0.01\nmomentum: 0.937\nweight_decay: 0.0005\n")  # fmt: skip
    document = decaycalc.inspect(write("args.yaml", text), architecture="resnet18").to_dict()
    assert document["alternatives"]
    for reading in (document, *document["alternatives"]):
        assert reading["network"]["mask"] == "ultralytics"


def test_a_live_optimizer_and_a_bare_count_have_no_other_tensors(write):
    with pytest.raises(ContradictionError, match="has its tensors"):
        decaycalc.inspect(AdamW([tensor(2, 2)]), architecture="gpt2")
    with pytest.raises(ContradictionError, match="bare number"):
        decaycalc.inspect(write("a.py", ORDINARY["train_gpt2.py"]), architecture="25.6e6")


def test_published_runs_have_masks_that_there_are():
    masks = {each.mask for each in RECIPES if each.mask is not None}
    assert {"all", "no-1d", "no-bias-norm", "timm", "olmo"} <= masks <= set(RULES)
    found = decaycalc.inspect("gpt-2-124m-nanogpt", architecture="gpt2")
    assert found.to_dict()["network"]["n_decayed"] == 124_318_464


@pytest.mark.parametrize("path", sorted(Path("decaycalc/training/trainers").glob("*.py")))
def test_every_mask_of_a_trainer_is_one_that_there_is(path):
    masks = {line.partition('mask="')[2].partition('"')[0]
             for line in path.read_text(encoding="utf-8").splitlines()}  # fmt: skip
    assert masks <= {"", *RULES}


def test_kinds_are_told_in_words_with_their_mask():
    assert of_kinds().mask == "all"
    assert of_kinds("norms", whole=False).mask is None
    three = of_kinds("norms", "biases", "embeddings")
    assert (three.rule, three.mask) == ("norms, biases and embeddings", "no-embedding")
    assert of_kinds("norms", "one-dimensional tensors").mask is None


def test_a_logit_scale_is_spared_by_ultralytics_and_open_clip():
    net = Architecture(
        name="a",
        tensors=(
            Tensor(name="logit_scale", shape=(), role=Role.OTHER),
            Tensor(name="head.bias_table", shape=(3, 2), role=Role.OTHER),
            Tensor(name="proj", shape=(3, 2)),
        ),
    )
    for mask in ("ultralytics", "open-clip"):
        assert decayed(net, mask=mask) == (False, False, True)


def test_the_shell_shows_the_network_and_its_counts(write, run):
    path = write("train_gpt2.py", ORDINARY["train_gpt2.py"])
    status, out, _ = run("inspect", path, "-a", "gpt2")
    assert status == 0
    assert "124,318,464 of 124,439,808 weights decay (99.90 %)" in out
    assert "121,344" in out
    status, out, _ = run("inspect", path, "-a", "gpt2", "--decay-mask", "all")
    assert "what all exempts" in out
    document = json.loads(run("inspect", path, "-a", "gpt2", "--json")[1])
    assert document["network"]["n_decayed_tensors"] == 50
    assert document["groups"][0]["n_tensors"] == 50
    assert document["exempt"]["mask"] == "matrices"


def test_the_shell_says_which_option_is_missing(write, run):
    path = write("train_gpt2.py", ORDINARY["train_gpt2.py"])
    assert run("inspect", path, "--decay-mask", "all")[0] == 2
    status, _, err = run("inspect", "vgg-16", "-a", "resnet18")
    assert (status, "give --decay-mask" in err) == (2, True)


def test_two_runs_are_compared_on_one_network(write, run):
    one = write("train_gpt2.py", ORDINARY["train_gpt2.py"])
    other = write("trainer.yaml", ORDINARY["trainer.yaml"])
    status, out, _ = run("compare", one, other, "-a", "resnet18", "--json")
    assert status == 0
    (row,) = [each for each in json.loads(out)["rows"] if each["name"] == "n_decayed"]
    # The Trainer decays the gains of batch norms.
    assert row["values"] == [11_678_912, 11_683_712]
    assert "weights that decay" in run("compare", one, other, "-a", "resnet18")[1]
    assert "weights that decay" not in run("compare", one, other)[1]


def test_check_looks_at_the_tensors_of_a_network(write, run):
    path = write("train_gpt2.py", ORDINARY["train_gpt2.py"])
    words = ("check", path, "-a", "resnet18", "--decay-mask", "no-bias", "--select", "DC2")
    assert run(*words)[0] == 1
    assert "DC202" in run(*words)[1]
    assert run("check", path, "-a", "resnet18", "--select", "DC2")[0] == 0
