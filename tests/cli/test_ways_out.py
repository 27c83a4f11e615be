"""What an error says to give can be given: followed word by word, it leads to an answer."""

import random
import re

import pytest

from decaycalc.conventions.catalogue import conventions

GIVEN = {
    "--lr": "0.01", "--to-lr": "0.02", "-N": "50000", "-B": "100", "--steps": "1000",
    "--momentum": "0.9", "--arch": "784-30-10", "--gradient-rms": "0.1", "--optimizer": "sgd",
    "--loss": "mean", "--epochs": "10",
}  # fmt: skip
TARGETS = (
    "pytorch-sgd", "pytorch-adamw", "keras-l2", "sklearn-logistic", "tfa-adamw", "per-step-shrink",
    "per-run-factor", "half-life-epochs", "sum-l2", "layer-mean-l2", "mean-over-weights-l2",
    "prior-std", "adamw-normalized", "pytorch-muon", "yolov5", "gal-dropout", "pytorch-asgd",
)  # fmt: skip
MORE = {"convert": ("--value",), "transfer": ("-B", "64", "--to-batch-size", "128"), "verify": ()}
FLAG = re.compile(r"--set (\w+)=NUMBER|(?<![\w-])(--?[A-Za-z][\w-]*)")


def asked_for(error):
    """Return the words that an error says to give, empty where it does not."""
    way_out = re.search(r"; give (.*)$", error)
    if way_out is None:
        return ()
    found = FLAG.findall(re.sub(r"\(.*?\)", "", way_out[1]))
    pairs = ((("--set", f"{name}=0.5") if name else (flag, GIVEN[flag])) for name, flag in found)
    return tuple(word for pair in pairs for word in pair)


def cases(n=60):
    draw = random.Random(20261127)  # noqa: S311
    keys = [record.key for record in conventions()]
    for _ in range(n):
        command = draw.choice(("convert", "convert", "transfer", "verify"))
        yield command, draw.choice(keys), draw.choice(TARGETS)
    yield "transfer", "mean-l2", "mean-over-weights-l2"
    yield "transfer", "pytorch-adamw", "lion-pytorch"
    yield "convert", "per-epoch-factor", "half-life-epochs"


@pytest.mark.parametrize(("command", "source", "target"), list(cases()))
def test_a_way_out_can_be_followed_to_its_end(run, command, source, target):
    words = [command, "0.01", "--from", source, "--to", target, *MORE[command]]
    seen = set()
    ran = run(*words)
    while ran.status == 2 and (asked := asked_for(ran.last_error)):
        assert ran.last_error not in seen, words
        seen.add(ran.last_error)
        assert not set(asked[::2]) & set(words) - {"--set"}, words
        words += asked
        ran = run(*words)
    assert "no such option" not in ran.err
    assert "stands twice" not in ran.err
