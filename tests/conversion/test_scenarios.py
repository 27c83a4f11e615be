"""Questions that people have asked, answered through the command line.

Each test's name ends in the scenario's number; its source stands beside it.
"""

import json

import pytest


@pytest.fixture
def value(run):
    """Return a function that converts and returns the bare number."""

    def convert(*words):
        ran = run("convert", *words, "--value")
        assert ran.status == 0, ran.err
        return float(ran.out)

    return convert


@pytest.fixture
def document(run):
    """Return a function that runs a command line and returns its JSON."""

    def read(*words):
        ran = run(*words, "--json")
        assert ran.status == 0, ran.err
        return json.loads(ran.out)

    return read


@pytest.fixture
def decay(document):
    """Return a function that returns what a number does to a weight."""

    def read(*words):
        return document("convert", *words)["decay"]

    return read


def close(number, rel=1e-9):
    return pytest.approx(number, rel=rel)


def test_caffe_to_keras_l2_s01(value):  # bbabenko.github.io/weight-decay
    assert value("0.0005", "--from", "caffe", "--to", "keras-l2") == 0.00025


def test_keras_l2_to_pytorch_s02(value):  # titu1994/DenseNet issue 57
    assert value("1e-4", "--from", "keras-l2", "--to", "pytorch-sgd") == 0.0002
    assert value("1e-4", "--from", "pytorch-sgd", "--to", "keras-l2") == 5e-5


def test_the_number_to_log_s03(value):  # mlcommons/hpc issue 22
    assert value("0.01", "--from", "keras-l2", "--to", "pytorch-sgd") == 0.02


def test_slim_to_keras_l2_s04(value):  # tensorpack issue 1381
    assert value("1e-4", "--from", "tf-slim-l2", "--to", "keras-l2") == 5e-5
    assert value("1e-4", "--from", "tf-slim-l2", "--to", "pytorch-sgd") == 1e-4


def test_mxnet_to_tfa_sgdw_s06(value, document):  # leondgarse/Keras_insightface issue 5
    words = ("5e-4", "--lr", "0.1")
    assert value(*words, "--from", "mxnet-sgd", "--to", "tfa-sgdw") == 5e-5
    right = document("convert", *words, "--from", "mxnet-sgd")["shrink"]
    copied = document("convert", *words, "--from", "tfa-sgdw")["shrink"]
    assert copied / right == close(10)


def test_adamw_to_fully_decoupled_s08(value, document):  # optimi.benjaminwarner.dev
    words = ("--lr", "1e-3")
    assert value("0.01", "--from", "pytorch-adamw", "--to", "composer-adamw", *words) == 1e-5
    for number, key in (("0.01", "pytorch-adamw"), ("1e-5", "composer-adamw")):
        body = document(
            "schedule", number, "--from", key, *words, "--steps", "1",
            "--schedule", "constant:value=0.5",
        )  # fmt: skip
        assert body["survival"] == close(0.999995, 1e-12)


def test_torch_sgd_and_keras_sgd_under_momentum_s10(value, decay):  # pytorch pull 13801
    words = ("5e-4", "--lr", "0.1", "--momentum", "0.9")
    assert decay(*words, "--from", "pytorch-sgd")["per_step_factor"] == close(0.9994977283678919)
    assert decay(*words, "--from", "keras-sgd")["per_step_factor"] == close(0.99995)
    move = (*words, "--from", "pytorch-sgd", "--to", "keras-sgd")
    assert value(*move) == 0.005
    assert value(*move, "--match", "decay") == close(0.005022716321081422)


def test_the_place_in_an_optax_chain_s11(decay):  # google-deepmind/optax issue 308
    words = ("5e-4", "--lr", "0.1")
    before = decay(*words, "--from", "optax-sgd")["per_step_factor"]
    assert before == close(0.99995)
    assert decay(*words, "--from", "optax-decay-after-lr")["per_step_factor"] == close(0.9995)
    assert decay(*words, "--from", "pytorch-sgd")["per_step_factor"] == before


def test_big_vision_to_adamw_s12(value):  # facebookresearch/schedule_free issue 47
    assert value("1e-4", "--from", "big-vision", "--to", "pytorch-adamw", "--lr", "1e-3") == 0.1


def test_keras_adamw_shrinks_once_s14(decay):  # keras-team/keras pull 16274
    factor = decay("0.001", "--from", "keras-adamw", "--lr", "0.001")["per_step_factor"]
    assert 2.0 * factor == close(1.999998)


def test_darknets_batch_sum_s15(document):  # AlexeyAB/darknet issue 1943
    words = ("0.0005", "--from", "darknet", "--to", "pytorch-sgd", "--lr", "0.001", "-B", "64")
    summed = document("convert", *words, "--to-loss", "batch-sum")["conversions"][0]
    assert (summed["value"], summed["lr"]) == (0.032, 1.5625e-05)
    mean = document("convert", *words)
    assert mean["conversions"][0]["value"] == 0.0005
    assert mean["conversions"][0]["lr"] in {None, 0.001}
    assert mean["shrink"] == 5e-7


@pytest.mark.parametrize(
    ("batch", "expected", "accumulate"), [(16, 5e-4, 4), (48, 3.75e-4, 1), (256, 2e-3, 1)]
)
def test_yolov5_scales_by_64_s17(value, batch, expected, accumulate):  # yolov5 issue 2076
    number = value("5e-4", "--from", "yolov5", "--to", "pytorch-sgd", "-B", str(batch))
    assert number == close(expected)
    assert number / 5e-4 * 64 / batch == close(accumulate)


def test_keras_decays_every_micro_step_s18(value, decay):  # keras-team/keras issue 19990
    words = ("--lr", "0.1", "--grad-accum", "3")
    buggy = decay("0.01", "--from", "keras-sgd-micro-step", *words)
    assert buggy["per_step_factor"] == close(0.997002999)
    move = ("0.01", "--from", "keras-sgd", "--to", "keras-sgd-micro-step", *words)
    assert value(*move) == close(0.0033333333333333335)
    assert value(*move, "--match", "decay") == close(0.003334445062139757)


def test_logistic_regression_s21(value):  # scikit-learn.org linear_model
    words = ("0.3", "--from", "sklearn-logistic", "-N", "200")
    assert value(*words, "--to", "pytorch-sgd") == close(1 / 60)
    assert value(*words, "--to", "sklearn-sgd") == close(1 / 60)


def test_nielsens_lambda_follows_n_s22(run, value, decay):  # cs.stackexchange 123798
    ran = run(
        "transfer", "1000", "--from", "nielsen", "-N", "50000", "--to-dataset-size", "1000",
        "--hold", "objective", "--value",
    )  # fmt: skip
    assert float(ran.out) == 20.0
    words = ("20", "--from", "nielsen", "-N", "1000")
    assert value(*words, "--to", "pytorch-sgd") == 0.02
    assert decay(*words, "--lr", "0.5")["per_step_factor"] == close(0.99)


def test_which_m_s23(value):  # community.deeplearning.ai 18395
    words = ("5", "--to", "pytorch-sgd", "-N", "50000", "-B", "100")
    whole = value(*words, "--from", "per-example-half-l2")
    wrong = value(*words, "--from", "per-batch-half-l2")
    assert (whole, wrong) == (1e-4, 0.05)
    assert wrong / whole == close(500)


def test_the_timescale_of_a_language_model_s25(decay):  # arXiv 2505.13738
    found = decay(
        "0.1", "--from", "pytorch-adamw", "--lr", "3e-4", "-B", "4000000", "-N", "2e12",
        "--epochs", "1",
    )  # fmt: skip
    assert found["timescale_steps"] == close(33333.333333333336)
    assert found["timescale_steps"] * 4e6 == close(133333333333.33333)
    assert found["timescale_run_fraction"] == close(0.06666666666666667)
    assert found["half_life_steps"] == close(23104.559443341666)


def test_nanochats_transfer_s26(document):  # karpathy/nanochat
    body = document(
        "transfer", "0.2", "--from", "pytorch-adamw", "--lr", "0.02", "-B", str(2**19),
        "-N", "1e9", "--to-batch-size", str(2**21), "--to-dataset-size", "16e9",
        "--lr-rule", "sqrt", "--hold", "epoch",
    )  # fmt: skip
    (rule,) = body["rules"]
    assert rule["value"] == 0.025
    assert rule["lr"] / 0.02 == close(2)
    before = 2**19 / (0.02 * 0.2 * 1e9)
    assert 2**21 / (rule["lr"] * rule["value"] * 16e9) / before == close(1)


def test_adamw_to_lion_s30(value, document):  # mlfoundations/open_clip pull 432
    words = ("0.2", "--from", "pytorch-adamw", "--lr", "2e-3")
    assert value(*words, "--to", "lion-pytorch", "--to-lr", "2e-4") == 2.0
    assert document("convert", *words)["shrink"] == 4e-4


def test_what_resnet_50_exempts_s33(document):  # pytorch issue 1402
    body = document("arch", "resnet50")
    assert body["n_parameters"] == 25557032
    assert body["n_exempt"] == 54120
    assert body["n_decayed"] == 25502912
    assert 100 * body["n_decayed"] / body["n_parameters"] == close(99.78823832125734)
    assert body["n_exempt_tensors"] == 107


def test_layer_widths_s35(document):  # arXiv 1506.02626
    body = document("arch", "784-300-100-10")
    assert body["n_parameters"] == 266610
    assert (body["n_decayed"], body["n_exempt"]) == (266200, 410)


def test_paddle_l2decay_s38(value):  # paddlepaddle.org.cn L2Decay
    assert value("1e-4", "--from", "paddle-l2decay", "--to", "pytorch-sgd") == 1e-4
    assert value("1e-4", "--from", "paddle-l2decay", "--to", "keras-l2") == 5e-5
