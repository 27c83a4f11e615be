"""Names that no convention has: what is offered for them."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.errors import UnknownNameError


def suggested(name):
    with pytest.raises(UnknownNameError) as caught:
        find(name)
    return caught.value.suggestions


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("adamw torch", "pytorch-adamw"),
        ("PyTorch SGD", "pytorch-sgd"),
        ("adamw_torch_fused", "pytorch-adamw"),
        ("adamw_bnb_8bit", "bitsandbytes-adamw"),
        ("adam-w", "pytorch-adamw"),
        ("AdamW(lr=1e-3)", "pytorch-adamw"),
        ("tf adamw", "keras-adamw"),
        ("hugging face trainer", "hf-trainer"),
        ("lightning", "pytorch-sgd"),
        ("pytorch-sdg", "pytorch-sgd"),
    ],
)
def test_words_in_another_order_and_other_frameworks_names_are_understood(name, key):
    assert suggested(name)[0] == key


def test_a_list_of_names_is_answered_with_them():
    assert suggested("keras-l2, mean-l2") == ("keras-l2", "mean-l2")
    assert suggested("['caffe']") == ("caffe",)


def test_an_alias_is_offered_by_its_key_and_once():
    assert suggested("LogisticRegression") == ("sklearn-logistic",)


@pytest.mark.parametrize("name", ["", ",", "nonsense"])
def test_what_is_near_to_no_name_is_offered_none(name):
    assert suggested(name) == ()
