"""timm's args.yaml, against timm 1.0.31 and its train.py."""

import pytest

from decaycalc.conventions.run import Run
from decaycalc.errors import UnreadableFileError
from decaycalc.inspection import inspect
from decaycalc.training.trainers.timm import TRAINER
from tests.training.trainers.reading import origins, quantity, read, shrink


def args(**settings):
    given = {"opt": "adamw", "lr": "0.001", "epochs": "100", "weight_decay": "0.05"}
    given |= settings
    return "".join(f"{key}: {value}\n" for key, value in given.items() if value is not None)


def test_where_the_file_is_silent_timms_defaults_hold(tmp_path):
    made = read(tmp_path, "args.yaml", "opt: adamw\nlr: 1e-3\nepochs: 100\n")
    assert (made.kind, made.convention, made.value) == ("timm", "timm-adamw", "2e-5")
    assert made.run.examples_per_step == 128
    assert quantity(made, "warmup_epochs").value == "5"
    assert origins(made)["weight_decay"] == "default"
    assert any("weight_decay 2e-5" in note for note in made.whole_notes)


def test_lr_base_is_scaled_by_the_devices_too(tmp_path):
    text = args(opt="sgd", lr="null", lr_base="0.1", batch_size="128", grad_accum_steps="2")
    assert read(tmp_path, "args.yaml", text).run.lr == quantity_of("0.1")
    made = read(tmp_path, "args.yaml", text, world_size="8")
    assert made.run.lr == quantity_of("0.8")
    assert shrink(made) == pytest.approx(0.8 * 0.05 / 0.1)


def quantity_of(text):
    from decaycalc.algebra.quantity import exact

    return exact(text)


@pytest.mark.parametrize(
    ("opt", "scale", "lr"),
    [
        ("adamw", None, 0.2),
        ("lamb", None, 0.2),
        ("fusedlamb", None, 0.2),
        ("sgd", "sqrt", 0.2),
        ("sgd", None, 0.4),
    ],
)
def test_adaptive_optimizers_scale_lr_base_by_the_square_root(tmp_path, opt, scale, lr):
    text = args(opt=opt, lr="0", lr_base="0.1", batch_size="1024", lr_base_scale=scale)
    assert float(read(tmp_path, "args.yaml", text).run.lr) == pytest.approx(lr)


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({"cooldown_epochs": "10", "epochs": "300"}, 310),
        ({"warmup_epochs": "20", "warmup_prefix": "true"}, 120),
        ({"sched": "step", "cooldown_epochs": "10"}, 100),
        ({"sched": "none", "warmup_prefix": "true"}, 100),
    ],
)
def test_epochs_count_cooldown_and_warmup_prefix_where_timm_does(tmp_path, settings, epochs):
    assert read(tmp_path, "args.yaml", args(**settings)).run.epochs == epochs


@pytest.mark.parametrize(
    ("settings", "schedule"),
    [
        ({"warmup_epochs": "0"}, "cosine:per=1epochs"),
        ({"warmup_epochs": "0", "sched_on_updates": "true"}, "cosine"),
        ({"warmup_epochs": "0", "min_lr": "1e-5"}, "cosine:final=0.01,per=1epochs"),
        (
            {"warmup_epochs": "20", "warmup_prefix": "true"},
            "cosine:per=1epochs,warmup=20epochs,start=0.01",
        ),
        (
            {"warmup_epochs": "0", "cooldown_epochs": "10"},
            "cosine:length=100epochs,per=1epochs",
        ),
        (
            {"sched": "poly", "decay_rate": "0.5", "warmup_epochs": "0"},
            "polynomial:per=1epochs,power=0.5",
        ),
        ({"sched": "step", "warmup_epochs": "0"}, "step:every=90epochs,gamma=0.1"),
        ({"sched": "step", "warmup_prefix": "true"}, None),
        (
            {"sched": "multistep", "warmup_epochs": "0", "decay_milestones": "[30, 60]"},
            "step:at=29/59epochs,gamma=0.1",
        ),
        ({"sched": "multistep"}, None),
        (
            {"sched": "wsd", "warmup_epochs": "0"},
            "wsd:decay=20epochs,shape=1-sqrt,per=1epochs",
        ),
        (
            {"sched": "wsd", "warmup_epochs": "0", "decay_epochs": "30"},
            "wsd:decay=30epochs,shape=1-sqrt,per=1epochs",
        ),
        ({"sched": "wsd", "decay_epochs": "300"}, None),
        ({"sched": "constant", "warmup_epochs": "0"}, "constant"),
        ({"sched": "none"}, "constant"),
        ({"sched": "tanh"}, None),
        ({"lr_cycle_limit": "3"}, None),
    ],
)
def test_schedulers_become_schedules(tmp_path, settings, schedule):
    assert read(tmp_path, "args.yaml", args(**settings)).schedule == schedule


@pytest.mark.parametrize(
    ("opt", "convention", "nesterov"),
    [
        ("sgd", "timm-sgd", True),
        ("momentum", "timm-sgd", None),
        ("lookahead_adamw", "timm-adamw", None),
        ("rmsproptf", "timm-rmsproptf", None),
        ("bnbadamw8bit", "bitsandbytes-adamw", None),
        ("lamb", "timm-lamb", None),
        ("muon", "timm-muon", None),
    ],
)
def test_every_optimizer_of_the_factory_has_its_convention(tmp_path, opt, convention, nesterov):
    made = read(tmp_path, "args.yaml", args(opt=opt))
    assert made.convention == convention
    assert made.run.nesterov == nesterov


def test_lr_base_without_a_size_leaves_the_lr_open(tmp_path):
    made = read(tmp_path, "args.yaml", args(lr="null", lr_base="0.1", lr_base_size="0"))
    assert made.run.lr is None


WARM_20_OF_100 = "opt: adamw\nlr: 1e-3\nepochs: 100\nwarmup_epochs: 20\nweight_decay: 0.05\n"


@pytest.mark.parametrize(("prefix", "total"), [("false", 0.10176), ("true", 0.15026)])
def test_the_warmup_lies_over_the_cosine_unless_it_is_a_prefix(tmp_path, prefix, total):
    path = tmp_path / "args.yaml"
    path.write_text(f"{WARM_20_OF_100}warmup_prefix: {prefix}\n")
    found = inspect(str(path), run=Run(dataset_size=6400))
    assert found.figures.sum_shrink == pytest.approx(total, abs=5e-6)


def test_an_unknown_optimizer_has_no_number(tmp_path):
    made = read(tmp_path, "args.yaml", args(opt="unheard"))
    assert made.value is None
    assert "no convention here" in made.refusal


def test_a_layer_decay_is_told(tmp_path):
    made = read(tmp_path, "args.yaml", args(layer_decay="0.65"))
    assert any("layer_decay 0.65" in note for note in made.notes)
    assert (made.layer_decay.rate, made.layer_decay.counting) == ("0.65", "timm")
    floor = read(tmp_path, "b.yaml", args(layer_decay="0.65", layer_decay_min_scale="0.1"))
    assert floor.layer_decay is None
    assert any("down to a scale of its own" in note for note in floor.notes)
    above = read(tmp_path, "c.yaml", args(layer_decay="1.1"))
    assert above.layer_decay is None
    assert any("layer_decay 1.1: a layer's lr is not the run's" in note for note in above.notes)


def test_betas_are_taken_from_a_list(tmp_path):
    made = read(tmp_path, "args.yaml", args(opt_betas="[0.9, 0.95]"))
    assert made.betas == ("0.9", "0.95")


def test_the_flags_of_train_py_are_read_alike(tmp_path):
    text = "torchrun --nproc_per_node=4 train.py /data --opt adamw --lr 1e-3 --weight-decay 0.05"
    made = read(tmp_path, "run.sh", text)
    assert (made.kind, made.run.examples_per_step) == ("timm", 512)
    assert made.value == "0.05"


def test_a_full_dump_leaves_nothing_unread(tmp_path):
    text = args(
        clip_mode="norm", train_size_schedule="null", lr_noise_pct="0.67", bn_momentum="0.9"
    )
    assert read(tmp_path, "args.yaml", text).not_used == ()
    assert TRAINER.field("unheard") is None


def test_programs_that_took_over_timm_s_names_are_not_timm_s(tmp_path):
    text = "python train.py /d --model efficientdet_d0 --opt momentum --lr 0.1 --warmup-epochs 5"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "run.sh", f"{text} --fill-color mean")


# Σ of the multipliers over epochs of 10 steps, as timm 1.0.31's schedulers set them.
MEASURED = [
    ({"sched": "step", "decay_epochs": "2.4", "decay_rate": "0.97"}, 234.5139),
    ({"sched": "multistep", "decay_milestones": "[10, 20]"}, 81.12),
    ({"sched": "cosine", "min_lr": "1e-3", "cooldown_epochs": "4"}, 137.0053),
    ({"sched": "poly", "min_lr": "1e-3", "decay_rate": "0.9"}, 145.1571),
    ({"sched": "step", "decay_epochs": "4", "decay_rate": "0.5", "sched_on_updates": "true"},
     64.0468),
    ({"sched": "wsd", "min_lr": "1e-3"}, 252.8079),
    ({"sched": "constant"}, 280.02),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "total"), MEASURED)
def test_the_lr_adds_up_as_timm_sets_it(tmp_path, settings, total):
    whole = {"opt": "momentum", "momentum": "0.5", "lr": "0.1", "weight_decay": "1"}
    whole |= {"batch_size": "1", "epochs": "30", "warmup_epochs": "3", "warmup_lr": "1e-4"}
    (tmp_path / "args.yaml").write_text(args(**whole, **settings), encoding="utf-8")
    found = inspect(str(tmp_path / "args.yaml"), run=Run.part(dataset_size=10))
    assert found.figures.sum_shrink / 0.2 == pytest.approx(total, rel=1e-5)


def test_milestones_under_updates_are_no_epoch_early(tmp_path):
    text = args(
        sched="multistep", decay_milestones="[30]", sched_on_updates="true", warmup_epochs="0"
    )
    assert read(tmp_path, "args.yaml", text).schedule == "step:at=30epochs,gamma=0.1"


def test_timm_s_own_launcher_and_the_short_flag_are_read(tmp_path):
    text = "./distributed_train.sh 4 /imagenet -b 144 --opt rmsproptf --lr .032 --warmup-lr 1e-6\n"
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 576


def test_a_part_of_another_program_s_settings_is_not_timm_s(tmp_path):
    text = "opt: adamw\nlr: 5e-4\nwd: 5e-5\nclip_grad: 0.5\nbetas: [0.9, 0.99]\n"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "adamw.yaml", text)
