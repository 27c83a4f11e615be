import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from decaycalc.architecture import parse_architecture
from decaycalc.architecture.initialisers import initialise
from decaycalc.architecture.masks import decayed
from decaycalc.architecture.penalty import penalty
from decaycalc.architecture.tensors import Architecture
from decaycalc.architecture.zoo import (
    MODELS,
    OTHER_NAMES,
    detection,
    families,
    find_model,
    known_names,
    likely_names,
    scenes,
    squash,
)
from decaycalc.architecture.zoo.hub_models import CONFIGS
from decaycalc.errors import InvalidValueError, UnknownNameError
from tests.architecture.counting import count_decayed

# Name, parameters, exempt weights, tensors and exempt tensors under no-1d, counted in torchvision
# 0.28, timm 1.0.31 and transformers 4.57.1.
COUNTS = [
    ("lenet-300-100", 266_610, 410, 6, 3),
    ("784-300-100-10", 266_610, 410, 6, 3),
    ("lenet5-caffe", 431_080, 580, 8, 4),
    ("alexnet", 61_100_840, 10_344, 16, 8),
    ("vgg16", 138_357_544, 13_416, 32, 16),
    ("resnet18", 11_689_512, 10_600, 62, 41),
    ("resnet50", 25_557_032, 54_120, 161, 107),
    ("resnet101", 44_549_160, 106_344, 314, 209),
    ("wide_resnet50_2", 68_883_240, 69_224, 161, 107),
    ("wrn-28-10", 36_479_194, 17_962, 80, 51),
    ("resnet18-cifar", 11_173_962, 9_610, 62, 41),
    ("densenet121", 7_978_856, 84_648, 364, 243),
    ("efficientnet_b0", 5_288_548, 52_356, 213, 131),
    ("mobilenet_v2", 3_504_872, 35_112, 158, 105),
    ("mobilenetv2_100", 3_504_872, 35_112, 158, 105),
    ("mobilenet_v3_large", 5_483_032, 31_760, 174, 110),
    ("vit_b_16", 86_567_656, 123_112, 152, 100),
    ("vit_base_patch16_224", 86_567_656, 123_112, 152, 100),
    ("deit_small_patch16_224", 22_050_664, 62_056, 152, 100),
    ("vit_small_patch16_224", 22_050_664, 62_056, 152, 100),
    ("convnext_tiny", 28_589_128, 65_128, 182, 123),
    ("swin_t", 28_288_354, 65_608, 173, 108),
    ("googlenet", 13_004_888, 20_120, 187, 123),
    ("inception_v3", 27_161_264, 38_224, 292, 194),
    ("squeezenet1_0", 1_248_424, 3_976, 52, 26),
    ("bert-base-uncased", 109_482_240, 122_112, 199, 123),
    ("bert-base-pretraining", 110_106_428, 154_940, 206, 128),
    ("roberta-base", 124_645_632, 122_112, 199, 123),
    ("distilbert-base-uncased", 66_362_880, 61_440, 100, 62),
    ("gpt2", 124_439_808, 121_344, 148, 98),
    ("gpt2-small", 124_439_808, 121_344, 148, 98),
    ("117M", 124_439_808, 121_344, 148, 98),
    ("gpt2-medium", 354_823_168, 321_536, 292, 194),
    ("345M", 354_823_168, 321_536, 292, 194),
    ("pythia-160m", 162_322_944, 121_344, 148, 98),
    ("t5-small", 60_506_624, 16_384, 131, 32),
    ("llama-2-7b", 6_738_415_616, 266_240, 291, 65),
    ("llama-3-8b", 8_030_261_248, 266_240, 291, 65),
    ("mistral-7b", 7_241_732_096, 266_240, 291, 65),
]
# Published numbers of parameters.
TOTALS = {
    "vgg19_bn": 143_678_248,
    "resnet152": 60_192_808,
    "wide_resnet101_2": 126_886_696,
    "resnext101_64x4d": 83_455_272,
    "densenet161": 28_681_000,
    "efficientnet_b7": 66_347_960,
    "efficientnet_v2_l": 118_515_272,
    "mobilenet_v3_small": 2_542_856,
    "squeezenet1_1": 1_235_496,
    "vit_h_14": 632_045_800,
    "swin_v2_b": 87_930_848,
    "convnext_xlarge": 350_196_968,
    "torchvision/convnext_large": 197_767_336,
    "googlenet_noaux": 6_624_904,
    "inception_v3_noaux": 23_834_568,
    "vit-large": 304_326_632,
    "vit-base-patch32-384": 88_297_192,
    "deit-tiny": 5_717_416,
    "deit-small-distilled": 22_436_432,
    "swin-large": 196_532_476,
    "swin-base-384": 87_903_584,
    "wrn-28-10-cifar100": 36_536_884,
    "wrn-40-2": 2_243_546,
    "resnet56": 853_018,
    "bert-large": 335_141_888,
    "roberta-large": 355_359_744,
    "xlm-roberta-base": 278_043_648,
    "xlm-roberta-large": 559_890_432,
    "electra-base": 109_483_009,
    "albert-base-v2": 11_221_680,
    "bart-base": 139_420_416,
    "bart-large": 406_291_456,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "pythia-70m": 70_426_624,
    "pythia-1b": 1_011_781_632,
    "pythia-12b": 11_846_072_320,
    "opt-350m": 331_196_416,
    "opt-1.3b": 1_315_758_080,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "llama-3.2-1b": 1_235_814_400,
    "tinyllama-1.1b": 1_100_048_384,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2-0.5b": 494_032_768,
    "qwen3-8b": 8_190_735_360,
    "gemma-2b": 2_506_172_416,
    "gemma-2-9b": 9_241_705_984,
    "phi-3-mini": 3_821_079_552,
    "t5-base": 222_903_552,
    "t5-11b": 11_307_321_344,
    "whisper-tiny": 37_760_640,
}


@pytest.mark.parametrize(("name", "total", "exempt", "tensors", "exempt_tensors"), COUNTS)
def test_a_model_has_exactly_the_parameters_of_the_reference(
    name, total, exempt, tensors, exempt_tensors
):
    net = parse_architecture(name)
    assert net.n_parameters == total
    assert net.n_parameters - count_decayed(net) == exempt
    assert len(net.tensors) == tensors
    assert decayed(net).count(False) == exempt_tensors


@pytest.mark.parametrize(("name", "total"), TOTALS.items())
def test_a_model_has_its_published_number_of_parameters(name, total):
    assert find_model(name).n_parameters == total


ALL_COUNTS = json.loads((Path(__file__).parent / "zoo_counts.json").read_text(encoding="utf-8"))
"""Parameters of every known name. The conformance suite compares the models with the real classes
tensor by tensor; a new name needs its count here, from its paper or its framework."""


# How these classes start depends on depth or on training in ways that are not told here.
UNTOLD_STARTS = {"clip", "dinov2", "gemma3", "hubert", "mamba", "modernbert", "rwkv", "sam",
                 "siglip", "vit_mae", "wav2vec2", *detection.DETECTORS, "ssd300_vgg16",
                 *scenes.SEGMENTERS}  # fmt: skip


def test_every_known_name_has_a_count():
    assert set(ALL_COUNTS) == set(known_names())


@pytest.mark.parametrize("name", known_names())
def test_every_known_name_builds_sound_tensors_of_its_count(name):
    net = find_model(name)
    assert net.n_parameters == ALL_COUNTS[name]
    names = [tensor.name for tensor in net.tensors]
    assert len(set(names)) == len(names)
    assert set(net.undecayed) <= set(names)
    told = all(tensor.sum_of_squares is not None for tensor in net.tensors)
    assert told is (CONFIGS.get(name, {}).get("model_type", name) not in UNTOLD_STARTS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ResNet-50", "resnet50"),
        ("VGG16-BN", "vgg16_bn"),
        ("Wide_ResNet-50-2", "wide_resnet50_2"),
        ("wrn-50-2", "wide_resnet50_2"),
        ("WRN 28 10", "wrn-28-10"),
        ("wide-resnet-28-10", "wrn-28-10"),
        ("GPT2", "gpt2-small"),
        ("345M", "gpt2-medium"),
        ("EleutherAI/pythia-160m-deduped", "pythia-160m"),
        ("meta-llama/Llama-2-7b-hf", "llama-2-7b"),
        ("google/vit-base-patch16-224", "vit-base"),
        ("vit-s/16", "vit-small"),
        ("timm/vit_base_patch16_224", "vit-base"),
        ("timm/vit_base_patch16_224.augreg_in21k_ft_in1k", "vit-base"),
        ("resnet50.a1_in1k", "resnet50"),
        ("facebook/deit-tiny-patch16-224", "deit-tiny"),
        ("microsoft/swin-tiny-patch4-window7-224", "swin-tiny"),
        ("swin-base-window12-384", "swin-base-384"),
        ("ConvNeXt-T", "convnext_tiny"),
        ("DeiT-S/16", "deit-small"),
        ("convnextv2_tiny.fcmae_ft_in22k_in1k", "convnextv2_tiny"),
        ("resnet18-cifar10", "resnet18-cifar"),
        ("google/t5-v1_1-small", "t5-v1.1-small"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral-7b-v0.3"),
        ("Qwen/Qwen3-4B-Instruct-2507", "qwen3-4b"),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct", "llama-3.1-70b"),
        ("codellama/CodeLlama-7b-Instruct-hf", "codellama-7b"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "llama-3.1-8b"),
        ("sentence-transformers/all-MiniLM-L6-v2", "minilm-l6"),
        ("openai/clip-vit-base-patch32", "clip-vit-b-32"),
        ("meta-llama/Llama-2-7b-chat-hf", "llama-2-7b"),
    ],
)
def test_spelling_and_publisher_do_not_matter(one, other):
    assert parse_architecture(one).tensors == find_model(other).tensors


def test_a_tag_of_timms_or_its_prefix_asks_for_its_tensors():
    theirs = find_model("timm/efficientnet_b0")
    assert theirs.tensors[0].name == "conv_stem.weight"
    for name in ("efficientnet_b0.ra_in1k", "timm/efficientnet_b0.ra4_e3600_r224_in1k"):
        assert find_model(name).tensors == theirs.tensors
    assert find_model("efficientnet_b0").tensors[0].name == "features.0.0.weight"
    assert theirs.n_parameters == find_model("efficientnet_b0").n_parameters


@pytest.mark.parametrize(
    ("name", "last", "n_parameters"),
    [
        ("timm/vgg16", "head.fc.bias", 138_357_544), ("vgg16.tv_in1k", "head.fc.bias", 138_357_544),
        ("vgg16", "classifier.6.bias", 138_357_544), ("timm/inception_v3", "fc.bias", 23_834_568),
        ("inception_v3.tf_in1k", "fc.bias", 23_834_568), ("inception_v3", "fc.bias", 27_161_264),
        ("efficientnetv2_s", "classifier.bias", 21_458_488),
        ("efficientnet_v2_s", "classifier.1.bias", 21_458_488),
        ("mnasnet_075", "classifier.bias", 3_170_208),
        ("timm/vit_b_16", "head.bias", 86_567_656), ("vit_b_16", "heads.head.bias", 86_567_656),
    ],
)  # fmt: skip
def test_where_two_libraries_have_a_network_the_spelling_tells_which(name, last, n_parameters):
    net = find_model(name)
    assert (net.tensors[-1].name, net.n_parameters) == (last, n_parameters)


@pytest.mark.parametrize(
    "name",
    ["timm/swin_t", "timm/mobilenet_v2", "timm/gpt2", "torchvision/resnet50d", "torchvision/gpt2",
     "torchvision/vit_base_patch16_224"],
)  # fmt: skip
def test_a_library_is_not_said_to_have_what_another_one_has(name):
    assert find_model(name) is None


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("ResNet50", "which has 25,583,592 trained weights: keras/ResNet50"),
        ("InceptionV3", "which has 23,817,352 trained weights"),
        ("VGG16", "which has other tensor names: keras/VGG16"),
    ],
)
def test_a_name_that_is_spelt_as_keras_spells_it_says_whose_network_it_is(name, note):
    assert find_model(name).notes == (f"this is not Keras' {name}, {note}",)
    assert find_model(name.lower()).notes == ()


def test_keras_own_networks_have_their_variables():
    net = find_model("keras/ResNet50")
    assert net.notes == ()
    assert net.n_parameters == 25_583_592  # keras 3.15.1, trainable weights
    assert [t.name for t in net.tensors[:3]] == ["conv1_conv/kernel", "conv1_conv/bias",
                                                 "conv1_bn/gamma"]  # fmt: skip
    assert net.tensors[0].shape == (7, 7, 3, 64)
    assert find_model("keras/Xception") is None
    assert find_model("keras/wrn-28-10") is None


def test_a_detector_on_pretrained_weights_says_what_it_does_not_train():
    (note,) = find_model("fasterrcnn_resnet50_fpn").notes
    assert note.startswith("the class does not train backbone.body.conv1.weight and 10 more")
    assert "222,400" in note  # torchvision 0.28: parameters without requires_grad
    assert "38,720" in find_model("ssd300_vgg16").notes[0]
    assert find_model("fasterrcnn_resnet50_fpn_v2").notes == ()
    assert "aux_loss=True" in find_model("fcn_resnet50").notes[0]


def test_retinanets_second_version_has_group_norms_in_its_heads_alone():
    kinds = {t.norm_kind for t in find_model("retinanet_resnet50_fpn_v2").tensors if t.norm_kind}
    heads = {t.norm_kind for t in find_model("retinanet_resnet50_fpn_v2").tensors
             if t.norm_kind and t.name.startswith("head.")}  # fmt: skip
    assert (kinds, heads) == ({"batch", "group"}, {"group"})


def test_a_tag_of_other_classes_than_imagenets_thousand_is_no_name():
    assert find_model("vit_base_patch16_224.augreg_in21k") is None


def test_no_two_names_fall_together(monkeypatch):
    spelled = Counter(squash(name) for name in (*MODELS, *OTHER_NAMES))
    twice = {name for name, count in spelled.items() if count > 1}
    # Without a separator the larger one is meant: 16 GF, not 1.6.
    assert twice == {"regnetx16gf", "regnety16gf", "regnetx32gf", "regnety32gf"}
    for name in MODELS:
        monkeypatch.setitem(MODELS, name, partial(Architecture, name=name, count=1))
        assert find_model(name.replace("_", "-").upper()).name == name


PUBLISHED = {
    "maxvit_t": 30_919_624, "mnasnet0_5": 2_218_512, "mnasnet0_75": 3_170_208,
    "mnasnet1_0": 4_383_312, "mnasnet1_3": 6_282_256, "regnet_x_16gf": 54_278_536,
    "regnet_x_1_6gf": 9_190_136, "regnet_x_32gf": 107_811_560, "regnet_x_3_2gf": 15_296_552,
    "regnet_x_400mf": 5_495_976, "regnet_x_800mf": 7_259_656, "regnet_x_8gf": 39_572_648,
    "regnet_y_128gf": 644_812_894, "regnet_y_16gf": 83_590_140, "regnet_y_1_6gf": 11_202_430,
    "regnet_y_32gf": 145_046_770, "regnet_y_3_2gf": 19_436_338, "regnet_y_400mf": 4_344_144,
    "regnet_y_800mf": 6_432_512, "regnet_y_8gf": 39_381_472, "shufflenet_v2_x0_5": 1_366_792,
    "shufflenet_v2_x1_0": 2_278_604, "shufflenet_v2_x1_5": 3_503_624,
    "shufflenet_v2_x2_0": 7_393_996,
}  # fmt: skip
"""Parameters as torchvision publishes them with each model's weights (`meta["num_params"]`)."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_families_of_a_few_numbers_have_the_published_number_of_parameters(name):
    net = find_model(name)
    assert net.n_parameters == PUBLISHED[name]
    assert net.name == name
    assert net.n_classes == 1000


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("RegNet-X-1.6GF", "regnet_x_1_6gf"), ("regnet_x_1_6gf", "regnet_x_1_6gf"),
        ("regnetx16gf", "regnet_x_16gf"), ("regnet y 3-2gf", "regnet_y_3_2gf"),
        ("torchvision/regnet_y_3.2gf", "regnet_y_3_2gf"), ("MNASNet1.0", "mnasnet1_0"),
        ("ShuffleNet-v2-x0-5", "shufflenet_v2_x0_5"),
    ],
)  # fmt: skip
def test_a_separator_may_be_the_point_of_a_number(spelling, name):
    assert find_model(spelling).name == name


@pytest.mark.parametrize(
    "name",
    [
        "resnet51", "resnet20-svhn", "wrn-28", "wrn-28-10-svhn", "vit-enormous", "vit-base-a",
        "vit-base-patch16-224-3", "vit-base-224-16", "vit-base-patch16-patch16", "deit-large",
        "deit-tiny-x", "swin-tiny-window7-224-1", "swin-x", "resnet99999999", "---",
        "vit-base-224-240", "deit",
    ],
)  # fmt: skip
def test_what_no_family_has_is_unknown(name):
    assert find_model(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "wrn-29-10",
        "wrn-4-1",
        "wrn-28-999",
        "vit-base-patch32-16",
        "vit-base-patch16-99999",
        "wrn-0-1",
    ],
)
def test_a_family_refuses_members_that_cannot_exist(name):
    with pytest.raises(InvalidValueError):
        find_model(name)


def test_an_unknown_model_names_its_neighbours():
    with pytest.raises(UnknownNameError, match="did you mean 'resnet50'"):
        parse_architecture("resnt50")
    assert families.find_member("") is None


def test_a_name_of_the_hub_that_is_not_known_is_told_to_give_its_configuration():
    with pytest.raises(UnknownNameError, match=r"give the hub's config\.json"):
        parse_architecture("google/gemma-9-1b")
    with pytest.raises(UnknownNameError, match=r"give the hub's config\.json"):
        parse_architecture("01-ai/yi-7b")


@pytest.mark.parametrize(
    "name",
    ["unsloth/llama-3-8b-bnb-4bit", "Qwen2.5-7B-Instruct-1M", "CodeLlama-7b-Python", "bert-it"],
)
def test_a_word_that_may_change_the_tensors_is_not_left_out(name):
    assert find_model(name) is None


@pytest.mark.parametrize(("text", "name"), [("vit", "vit_b_16"), ("Llama", "llama-7b")])
def test_a_family_without_its_size_names_its_smallest_spellings(text, name):
    with pytest.raises(UnknownNameError, match=f"did you mean '{name}'"):
        parse_architecture(text)
    assert likely_names("xyz") == ()


def test_the_models_that_timm_exempts_more_of():
    net = find_model("vit-base")
    assert net.n_parameters - count_decayed(net, mask="timm") == 275_176
    small = find_model("deit-small")
    assert small.n_parameters - count_decayed(small, mask="timm") == 138_088
    convnext = find_model("torchvision/convnext_tiny")
    assert convnext.n_parameters - count_decayed(convnext) == 58_504


def test_what_the_no_decay_rule_exempts_in_resnet_50():
    net = find_model("resnet50")
    kept = count_decayed(net)
    assert net.n_parameters - kept == 54_120
    assert 100 * kept / net.n_parameters == pytest.approx(99.78823832125734, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "mask", "squares", "strength", "value"),
    [
        ("resnet50", "no-1d", 45_395.3333, 1e-4, 2.26977),
        ("resnet50", "all", 71_955.50, 1e-4, 3.59777),
        ("nanogpt", "no-1d", 36_175.872, 0.1, 1808.79),
    ],
)
def test_the_penalty_at_initialisation_of_known_models(name, mask, squares, strength, value):
    scale = penalty(find_model(name), strength=strength, mask=mask)
    assert scale.sum_of_squares == pytest.approx(squares, rel=1e-7)
    assert scale.value == pytest.approx(value, rel=3e-6)


def test_the_initial_loss_is_that_of_the_vocabulary_or_the_classes():
    assert penalty(find_model("resnet50")).initial_loss == pytest.approx(6.907755, rel=1e-7)
    assert penalty(find_model("nanogpt")).initial_loss == pytest.approx(10.82584, rel=1e-6)


def test_an_initialiser_replaces_a_models_own():
    net = initialise(find_model("lenet-300-100"), init="torch")
    assert penalty(net, mask="all", init="torch").sum_of_squares == pytest.approx(
        (300 + 100 + 10) / 3 + 300 / (3 * 784) + 100 / 900 + 10 / 300
    )


def test_timms_vision_transformers_of_other_kinds_have_their_own_tensors():
    dino = find_model("timm/vit_base_patch14_reg4_dinov2.lvd142m")
    assert (dino.n_parameters, dino.n_classes) == (86_582_016, None)
    assert dino.undecayed == ("cls_token", "reg_token", "pos_embed")
    clip = find_model("vit_large_patch14_clip_336.openai_ft_in12k_in1k")
    assert (clip.n_parameters, clip.tensors[-1].shape) == (304_532_456, (1000,))
    assert "patch_embed.proj.bias" not in {tensor.name for tensor in clip.tensors}
    pooled = find_model("vit_medium_patch16_reg4_gap_256")
    assert (pooled.n_parameters, pooled.undecayed) == (38_881_768, ("reg_token", "pos_embed"))
    for unknown in ("vit_base_patch16_clip_224.openai", "vit_giant_patch14_dinov2"):
        assert find_model(unknown) is None


@pytest.mark.parametrize(
    "name", ["vit_base_patch14_dinov2.a1_in1k", "resnet20.in1k", "bert-base-uncased.in1k"]
)
def test_a_tag_of_imagenet_is_of_no_network_without_its_classes(name):
    assert find_model(name.rpartition(".")[0]) is not None
    assert find_model(name) is None
