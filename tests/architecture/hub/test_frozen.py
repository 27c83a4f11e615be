"""Weights that a class itself keeps from training, counted in transformers 4.57.1."""

import pytest

from decaycalc.architecture.hub import build_config
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.frozen import frozen_notes
from decaycalc.architecture.zoo import find_model


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("whisper-tiny", "model.encoder.embed_positions.weight: nothing decays 576,000 of"),
        (
            "vit-mae-base",
            "vit.embeddings.position_embeddings and 1 more: nothing decays 252,160 of",
        ),
    ],
)
def test_an_answer_tells_of_weights_that_the_class_does_not_train(name, note):
    (said,) = find_model(name).notes
    assert note in said


def test_detr_trains_all_of_its_backbone_but_the_first_layers():
    (said,) = build_config(Fields(path="config.json", values={"model_type": "detr"})).notes
    assert "conv_encoder.model.conv1.weight and 10 more: nothing decays 222,400 of" in said


def test_a_class_that_trains_all_of_its_weights_has_no_such_note():
    assert find_model("bert-base").notes == ()
    assert frozen_notes("whisper", find_model("bert-base")) == ()
