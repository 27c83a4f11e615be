"""timm's configurations of the hub; totals are those of timm 1.0.31's classes."""

import json

import pytest

from decaycalc.architecture import parse_architecture
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import UnreadableFileError


@pytest.fixture
def read(tmp_path):
    def read(**values):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(values), encoding="utf-8")
        return parse_architecture(str(path))

    return read


def published(classifier, **others):
    return {"classifier": classifier, "input_size": [3, 224, 224], **others}


@pytest.mark.parametrize(
    ("name", "classes", "head", "total"),
    [
        ("resnet50", 1000, (2048, "fc"), 25_557_032),
        ("resnet50", 0, (2048, "fc"), 23_508_032),
        ("resnet26", 10, (2048, "fc"), 13_966_666),
        ("seresnext50_32x4d", 7, (2048, "fc"), 25_525_239),
        ("vit_base_patch16_224", 21843, (768, "head"), 102_595_923),
        ("deit_small_distilled_patch16_224", 10, (384, ["head", "head_dist"]), 21_674_132),
        ("efficientnet_b0", 10, (1280, "classifier"), 4_020_358),
        ("mobilenetv3_large_100", 0, (960, "classifier"), 4_202_032),
        ("convnext_tiny", 5, (768, "head.fc"), 27_823_973),
    ],
)
def test_a_configuration_of_timms_is_the_network_that_it_names(read, name, classes, head, total):
    features, classifier = head
    net = read(architecture=name, num_classes=classes, num_features=features,
               global_pool="avg", pretrained_cfg=published(classifier))  # fmt: skip
    assert net.n_parameters == total
    assert net.n_classes == (classes or None)
    assert net.undecayed == find_model(f"timm/{name}").undecayed


def test_without_classes_of_its_own_it_has_those_of_the_published_weights(read):
    net = read(architecture="resnet18", pretrained_cfg=published("fc", num_classes=10))
    assert net.n_parameters == 11_181_642
    plain = read(architecture="resnet18", pretrained_cfg={"classifier": "fc"},
                 model_args={"drop_path_rate": 0.1})  # fmt: skip
    assert plain.n_parameters == 11_689_512


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "resnet9000"}, "architecture is 'resnet9000'"),
        ({"model_args": {"img_size": 256, "drop_rate": 0.1}}, "model_args is 'img_size'"),
        ({"num_features": 512}, "num_features is 512"),
        ({"num_classes": -1}, "num_classes is -1"),
        ({"num_classes": "ten"}, "num_classes is 'ten'"),
        ({"pretrained_cfg": {}}, "classifier is None"),
        ({"pretrained_cfg": published("head")}, "classifier is 'head'"),
        ({"pretrained_cfg": published(["fc", 3])}, "classifier is"),
        ({"pretrained_cfg": published([["fc"]])}, "classifier is"),
        ({"pretrained_cfg": {**published("fc"), "input_size": [1, 28, 28]}}, "input_size is 1"),
        ({"pretrained_cfg": 7}, "pretrained_cfg is 7"),
    ],
)
def test_what_is_not_known_to_leave_the_tensors_alone_is_refused(read, changes, message):
    values = {"architecture": "resnet50", "num_classes": 1000, "pretrained_cfg": published("fc")}
    with pytest.raises(UnreadableFileError, match=message):
        read(**{**values, **changes})
