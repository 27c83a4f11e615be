"""YOLOv5's hyp.yaml and opt.yaml, against its train.py."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

HYP = "lr0: 0.01\nlrf: 0.1\nmomentum: 0.937\nweight_decay: 0.0005\nwarmup_epochs: 3.0\n"
OPT = "weights: yolov5s.pt\nhyp: hyp.yaml\nepochs: 300\nbatch_size: 16\noptimizer: {}\n"


def test_hyp_alone_leaves_batch_and_length_open(tmp_path):
    made = read(tmp_path, "hyp.yaml", HYP)
    assert (made.kind, made.convention, made.value) == ("yolov5", "yolov5", "0.0005")
    assert {"batch_size", "epochs"} <= set(made.missing)


@pytest.mark.parametrize("first", ["hyp", "opt"])
def test_hyp_and_opt_are_read_together(tmp_path, first):
    texts = {"hyp": HYP, "opt": OPT.format("SGD")}
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    made = read(tmp_path, f"{first}.yaml", texts[first])
    assert made.run.examples_per_step == 64
    assert made.run.epochs == 300
    assert shrink(made) == pytest.approx(0.01 * 0.0005 / (1 - 0.937))
    assert quantity(made, "lr").where == ("lr0" if first == "hyp" else "hyp.yaml: lr0")


def test_an_opt_that_holds_its_hyp_is_whole(tmp_path):
    inner = "".join(f"  {line}\n" for line in HYP.splitlines())
    text = OPT.format("AdamW").replace("hyp: hyp.yaml", f"hyp:\n{inner}".rstrip())
    made = read(tmp_path, "opt.yaml", text)
    assert (made.convention, made.run.examples_per_step) == ("ultralytics-adamw", 64)


def test_an_unknown_optimizer_has_no_number(tmp_path):
    (tmp_path / "opt.yaml").write_text(OPT.format("Magic"))
    assert "no convention here" in read(tmp_path, "hyp.yaml", HYP).refusal


@pytest.mark.parametrize(
    ("lines", "shape"),
    [
        ("optimizer: SGD\ncos_lr: false", "linear"),
        ("optimizer: SGD\ncos_lr: true", "cosine"),
        ("optimizer: SGD", "linear"),
        ("adam: false\nlinear_lr: false", "cosine"),
        ("adam: false\nlinear_lr: true", "linear"),
        ("adam: false", "cosine"),
        ("optimizer: SGD\nfixed_lr: true", "constant"),
        ("optimizer: SGD\nfixed_lr: false\nflat_cos_lr: true", None),
        ("optimizer: SGD\nflat_cos_lr: false", "linear"),
    ],
)
def test_an_older_opt_means_a_cosine_unless_it_says_otherwise(tmp_path, lines, shape):
    (tmp_path / "hyp.yaml").write_text(HYP)
    text = f"weights: ''\nhyp: hyp.yaml\nepochs: 300\nbatch_size: 16\n{lines}\n"
    made = read(tmp_path, "opt.yaml", text)
    assert (made.schedule or "").partition(":")[0] == (shape or "")
    assert made.convention == "yolov5"


def test_an_older_opt_chooses_adam_by_a_switch(tmp_path):
    (tmp_path / "hyp.yaml").write_text(HYP + "fliplr: 0.5\n")
    text = "weights: ''\nhyp: hyp.yaml\nepochs: 3\nbatch_size: 16\nadam: true\n"
    made = read(tmp_path, "opt.yaml", text)
    assert made.convention == "pytorch-adam"
    assert not made.not_used


def test_yolov7_keeps_the_batch_of_all_devices_beside_that_of_one(tmp_path):
    (tmp_path / "hyp.yaml").write_text(HYP)
    older = OPT.format("SGD").replace("optimizer: SGD", "adam: false\nlinear_lr: true")
    made = read(tmp_path, "opt.yaml", f"{older}total_batch_size: 128\n")
    assert (made.run.examples_per_step, made.run.grad_accum) == (128, 1)
    assert shrink(made) == pytest.approx(0.01 * 0.001 / (1 - 0.937))
    assert made.schedule.startswith("linear:final=0.1,length=299epochs,")


@pytest.mark.parametrize(
    ("size", "more", "warmup"),
    [("320", "", "25"), ("320", "total_batch_size: 16\n", "250"), ("800000", "", "3epochs")],
)
def test_a_small_data_set_has_a_longer_warm_up(tmp_path, size, more, warmup):
    (tmp_path / "hyp.yaml").write_text(HYP)
    made = read(tmp_path, "opt.yaml", OPT.format("SGD") + more, dataset_size=size)
    assert f"warmup={warmup}," in made.schedule


def test_a_hyp_that_is_yolov7s_means_its_cosine_and_its_longer_warm_up(tmp_path):
    made = read(tmp_path, "hyp.yaml", HYP + "paste_in: 0.15\nloss_ota: 1\n")
    assert made.schedule.startswith("cosine:final=0.1")
    assert read(tmp_path, "hyp.yaml", HYP).schedule.startswith("linear:final=0.1")


def test_the_network_of_a_command_line_is_no_file_of_settings(tmp_path):
    line = "python train.py --cfg yolov5s.yaml --hyp hyp.yaml --weights a.pt --batch-size 16\n"
    assert read(tmp_path, "run.sh", line).kind == "yolov5"


LINE = "python train.py --weights a.pt --batch-size 16 --epochs 9 --hyp {}\n"
OWN = "lr0: 0.5\nlrf: 0.1\nmomentum: 0.8\nweight_decay: 0.003\nwarmup_epochs: 1\n"


def test_what_the_hyp_of_a_command_line_sets_is_open_where_it_is_not_here(tmp_path):
    (tmp_path / "hyp.yaml").write_text(OWN, "utf-8")
    found = read(tmp_path, "run.sh", LINE.format("data/own.yaml --optimizer SGD"))
    assert (found.value, found.run.lr, found.schedule) == (None, None, None)
    default = read(tmp_path, "run.sh", LINE.format("data/hyp.scratch-low.yaml --optimizer SGD"))
    assert (default.value, float(default.run.lr)) == ("0.0005", 0.01)


def test_the_hyp_that_a_command_line_names_is_read_and_its_curve_is_open_without_a_version(
    tmp_path,
):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.yaml").write_text(OWN, "utf-8")
    found = read(tmp_path, "run.sh", LINE.format("data/own.yaml"))
    assert (found.value, float(found.run.lr), found.schedule) == ("0.003", 0.5, None)
    cosine = read(tmp_path, "run.sh", LINE.format("data/own.yaml --cos-lr"))
    assert cosine.schedule.startswith("cosine")
    line = read(tmp_path, "run.sh", LINE.format("data/own.yaml --optimizer AdamW"))
    assert line.schedule.startswith("linear")
    older = read(tmp_path, "run.sh", LINE.format("data/own.yaml --linear-lr"))
    assert older.schedule.startswith("linear")
