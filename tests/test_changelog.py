"""The CHANGELOG's counts of what the release holds."""

from pathlib import Path

import pytest

from decaycalc.architecture.hub import MODEL_TYPES
from decaycalc.conventions.catalogue import conventions
from decaycalc.training.published.index import RECIPES
from decaycalc.training.reading.recognise import trainers

TEXT = " ".join((Path(__file__).parent.parent / "CHANGELOG.md").read_text().split())
EXECUTED = [each for each in conventions() if each.verification.startswith("executed")]


@pytest.mark.parametrize(
    ("said", "things"),
    [
        ("{} kinds of files are read", trainers()),
        ("{} conventions (563 in 0.1.0)", conventions()),
        ("{} of them are executed", EXECUTED),
        ("{} published runs (68 in 0.1.0)", RECIPES),
        ("{} model types of the hub", MODEL_TYPES),
    ],
)
def test_it_counts_what_there_is(said, things):
    assert said.format(len(things)) in TEXT
