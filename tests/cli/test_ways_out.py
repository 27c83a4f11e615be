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


ENDLESS = (
    # What was asked for was given already, or asked for again once it was.
    "transfer 2e-05 --from caffe --schedule cosine --lr 6e-4 --epochs 3",
    "transfer 4e-5 --from pytorch-sgd --schedule cosine -N 1e7 --epochs 3 --to-batch-size 100",
    "transfer 1e-3 --from pytorch-adamw --to keras-l2 --lr 6e-4 -N 9e4 --steps 9 --to-batch-size 1",
    "schedule 1e-3 --from pytorch-sgd -B 256 --lr 1 --steps 99 --schedule constant:warmup=1epochs",
    "schedule 1e-3 --from pytorch-sgd -N 256 --lr 1 --steps 99 --schedule constant:warmup=1epochs",
)


@pytest.mark.parametrize("line", ENDLESS)
def test_what_is_asked_for_was_not_given_and_is_enough(run, line):
    words, rounds = line.split(), 0
    while (ran := run(*words)).status == 2:
        asked = asked_for(ran.last_error)
        assert asked, ran.last_error
        assert not set(asked[::2]) & set(words), ran.last_error
        words, rounds = [*words, *asked], rounds + 1
        assert rounds < 4
    assert ran.status == 0


def test_a_file_of_weights_in_values_place_is_a_network(run, tmp_path):
    for name, flag in (("w.safetensors", "--arch"), ("run.yaml", "--recipe")):
        path = tmp_path / name
        path.write_text("{}")
        ran = run("convert", path, "--from", "caffe")
        assert ran.last_error.endswith(f"names a file, not a number: give {flag} {path}")
