"""What the screens of single commands say, line by line."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conversion.assumptions import Assumption
from decaycalc.report import elsewhere, heading, plot
from decaycalc.report.words import conditions_of, names_of


def lines(run, words):
    ran = run(*words.split(), "--width", "80")
    assert ran.status in {0, 1}
    return ran.out.splitlines()


def test_the_run_is_shown_as_it_was_understood(run):
    shown = lines(run, "convert 0.1 --from pytorch-adamw --lr 3e-4 -B 64 --grad-accum 4 "
                       "--world-size 2 -N 60000 --epochs 3 --loss batch-sum")  # fmt: skip
    assert shown[0] == "pytorch-adamw  weight_decay = 0.1"
    text = " ".join(shown[1:3])
    assert "lr 0.0003" in text
    assert "B 512 = 64 × 4 × 2, 118 steps an epoch" in text
    assert "3 epochs" in text
    assert "loss batch-sum" in text


def test_what_was_not_given_is_marked(run):
    first = " ".join(lines(run, "convert 1e-3 --from mean-l2 --lr 0.1 -B 128")[1:3])
    for text in ("SGD (not given)", "momentum 0 (not given)", "loss mean (not given)"):
        assert text in first
    said = " ".join(lines(run, "convert 1e-3 --from mean-l2 --lr 0.1 --optimizer sgd "
                               "--momentum 0.9 --nesterov")[1:3])  # fmt: skip
    assert said.startswith("SGD, lr 0.1, momentum 0.9, nesterov")


def test_an_assumed_lr_is_called_so():
    entry = Assumption(name="lr_max", value=None, why="not given")
    assert heading.assumed((entry,)) == "lr_max the lr's (not given)"
    assert heading.assumed(()) == ""


def test_an_unknown_lr_stands_in_the_number(run):
    shown = lines(run, "convert 1e-4 --from pytorch-sgd --to pytorch-adamw --lr 0.1 --momentum .9")
    assert "1e-4 / its lr (--to-lr 1e-3: 0.1)" in " ".join(shown)
    table = "\n".join(lines(run, "convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9"))
    assert "1e-4 / its lr" in table
    assert "pytorch, optax, hf" in table
    assert "--to-lr its lr" in table


def test_several_targets_have_a_table_and_no_footer(run):
    shown = lines(run, "convert 5e-4 --from caffe --to keras-l2 --to mean-l2")
    assert "keras-l2" in " ".join(shown)
    assert "--explain why" not in " ".join(shown)


def test_all_says_why_the_rest_is_out_of_reach(run):
    shown = "\n".join(lines(run, "convert 1e-4 --from keras-l2 --all"))
    assert "Out of reach" in shown
    assert "needs -N" in shown


def test_a_reason_that_many_conventions_share_stands_once_and_names_the_flag(run):
    shown = run("convert", "0.01", "--from", "pytorch-adam", "--lr", "1e-3", "--all",
                "--width", "900").out  # fmt: skip
    assert shown.count("pytorch-adam adds the penalty to the gradient, where") == 1
    assert "; the other shrinks the weight itself; --gradient-rms gives an estimate" in shown
    assert "gradient_rms" not in shown


def test_one_target_says_which_settings_of_the_optimizer_are_to_be_equal(run):
    shown = " ".join(lines(run, "convert 0.01 --from pytorch-adamw --to keras-adamw"))
    said = "keras-adamw presets eps=1e-7 before the bias correction"
    assert shown.endswith(f"with equal settings of the optimizer: {said}")
    alike = " ".join(lines(run, "convert 0.01 --from pytorch-adamw --to optax-adamw"))
    assert "settings" not in alike


def test_a_length_of_many_runs_is_a_multiple_of_the_run(run):
    words = "convert 1e-4 --from pytorch-sgd --lr 0.1 -B 128 -N 1280 --epochs"
    assert "timescale 10,000 × the run" in " ".join(lines(run, f"{words} 1"))
    assert "timescale 10 % of the run" in " ".join(lines(run, f"{words} 100000"))


def test_a_suggestion_lies_within_its_interval_as_it_is_shown(run):
    line = "suggest --parameters 124e6 -N 2.5e9 -B 491520 --lr 6e-4"
    row = next(shown for shown in lines(run, line) if "token-law" in shown).split()
    value, low, high = map(float, row[1:4])
    assert low <= value <= high


def test_a_run_s_n_and_what_its_end_needs_are_told(run, tmp_path):
    path = tmp_path / "t.yaml"
    text = "per_device_train_batch_size: 8\noptim: adamw_torch\nweight_decay: 0.01\n"
    text += "learning_rate: 5.0e-5\nlr_scheduler_type: linear\nnum_train_epochs: 3\n"
    path.write_text(text)
    needs = "left at the end: with the run's length, by --steps or by --epochs and -N"
    shown = run("inspect", str(path), "--width", "120").out
    assert needs in shown
    assert " N " not in shown
    shown = run("inspect", str(path), "--width", "120", "-N", "50k").out
    assert needs not in shown
    assert " N              50,000 examples" in shown
    both = run("compare", str(path), str(path))
    assert both.err.count("--world-size") == 1


def test_a_published_run_whose_schedule_no_text_says_has_no_end(run):
    shown = run("inspect", "resnet-50-he", "--width", "100").out
    assert " B              256 examples         published" in shown
    assert "DC505 note" in shown
    assert "per run" not in run("convert", "--recipe", "resnet-50-he").out
    refused = run("convert", "--recipe", "resnet-50-he", "--to", "per-run-factor")
    assert (refused.status, refused.out) == (1, "")
    assert refused.last_error.endswith("is not known: give --schedule")
    given = ("--schedule", "step:at=30/60/90epochs,gamma=0.1")
    assert "per run" in run("convert", "--recipe", "resnet-50-he", *given).out


def test_without_a_value_the_formulas_are_the_table(run):
    shown = "\n".join(lines(run, "convert --from keras-l2"))
    assert "lam = 2·l2" in shown
    assert "per step" not in shown.replace("per-step-shrink", "")


def test_nothing_is_said_of_what_nobody_misses():
    assert list(elsewhere.out_of_reach((), flag_of=str)) == []


def test_a_penalty_without_classes_is_compared_with_no_loss(run):
    shown = "\n".join(lines(run, "convert 1e-4 --from pytorch-sgd -a 10-20-1 --lr 0.1"))
    assert "The penalty grows with the number of weights" in shown
    assert "initial loss" not in shown


def test_the_widest_and_the_narrowest_layer_stand_for_a_big_network(run):
    words = "convert 1e-4 --from pytorch-sgd -a resnet50 --lr 0.1"
    shown = lines(run, words)
    start = next(place for place, line in enumerate(shown) if line.startswith(" Penalty "))
    narrow, wide, whole = (line.split() for line in shown[start + 2 : start + 5])
    assert narrow[:2] == ["layer1.0.conv1", "4,096"]
    assert wide[:2] == ["layer4.{0-2}.conv2", "7,077,888"]
    assert whole[:4] == ["all", "54", "layers", "25,502,912"]
    assert {narrow[3], wide[3], whole[-1]} == {"0.00001"}
    assert float(narrow[4]) / float(wide[4]) == pytest.approx(7_077_888 / 3 / 4_096, rel=1e-3)
    assert "layer3.4.conv2" in "\n".join(lines(run, f"{words} --all"))


def test_layers_of_one_size_have_one_row(run):
    shown = lines(run, "convert 1e-4 --from pytorch-sgd -a 10-10-10-10-10-10 --lr 0.1")
    start = next(place for place, line in enumerate(shown) if line.startswith(" Penalty "))
    assert [line.split()[0] for line in shown[start + 2 : start + 4]] == ["fc1", "all"]


def test_a_long_name_keeps_its_end(run):
    shown = "\n".join(lines(run, "convert 1e-4 --from pytorch-sgd -a bert-base-uncased"))
    assert " …word_embeddings " in shown
    assert " …type_embeddings " in shown


@pytest.mark.parametrize("network", ["resnet50", "gpt2", "vit-b-16"])
def test_a_network_takes_33_rows_at_most(run, network):
    words = "convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90"
    assert len(lines(run, f"{words} -a {network}")) <= 33


@pytest.mark.parametrize(
    "words",
    [
        "0.3 --lr 1 --to timm-adan",  # divides by 1 + lr·λ
        "0.3 --lr 1 --to-lr 1 --to keras-sgd-micro-step --grad-accum 4",
        "0.1 --lr 1e-3 --to-lr 0.1 --to pytorch-sgd --momentum 0.9",
    ],
)
def test_a_first_order_of_the_target_s_is_told(run, words):
    ran = run("convert", *words.split(), "--from", "pytorch-adamw", "--to", "keras-adamw",
              "--width", "200")  # fmt: skip
    assert "to first order" in ran.out


@pytest.mark.parametrize(("value", "told"), [("1e-4", False), ("0.3", True)])
def test_that_a_decay_is_held_to_first_order_is_told_where_it_makes_a_hundredth(run, value, told):
    shown = lines(run, f"convert {value} --from pytorch-sgd --lr 0.1 --momentum 0.9")
    assert ("first order" in " ".join(shown)) is told


def test_a_decoupled_decay_is_not_offered_to_solvers_and_the_frameworks_of_old(run):
    shown = "\n".join(lines(run, "convert 0.1 --from pytorch-adamw --lr 1e-3 -N 1000 -B 10"))
    assert "sklearn" not in shown
    assert "caffe" not in shown


def test_a_published_run_is_named_within_a_factor_of_2_alone(run):
    words = "convert {} --from pytorch-adamw --lr 1e-3 -N 1281167 -B 256"
    assert "as ResNet-50 of He et al. (1.998 epochs)" in "\n".join(lines(run, words.format(0.1)))
    assert "\nas " not in "\n".join(lines(run, words.format("1e-9")))


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("", ""),
        ("agrees at peak lr only: the two follow the lr schedule differently", "at peak lr"),
        ("the momentum buffers differ: the same at a constant lr only", "exact at a constant lr"),
        ("the batch sizes differ, so the gradients do", "other gradients, as B differs"),
        ("to first order, --match decay holds the exact long-run decay equal", "to first order"),
    ],
)  # fmt: skip
def test_a_condition_is_short(note, words):
    assert "; ".join(conditions_of(note)) == words


def test_conventions_that_share_a_row_are_named_together():
    adamw = tuple(map(find, ("pytorch-adamw", "optax-adamw", "hf-trainer")))
    assert names_of(adamw) == "any AdamW: pytorch, optax, hf"
    assert names_of(adamw[:1]) == "pytorch-adamw"
    assert names_of(tuple(map(find, ("pytorch-sgd", "caffe")))) == "pytorch-sgd, caffe"


def test_a_moved_run_is_told_what_happens_if_nothing_is_changed(run):
    words = "transfer 0.1 --from pytorch-adamw --lr 3e-4 -N 1281167 --epochs 300 -B 256"
    shown = lines(run, f"{words} --to-batch-size 2048")
    assert shown[2] == "to B 2,048"
    assert [line.split()[:2] for line in shown[6:9]] == [
        ["×", "√8"], ["×", "8"], ["unchanged", "0.0003"],
    ]  # fmt: skip
    text = " ".join(" ".join(shown).split())
    assert "Left at 0.1, the timescale becomes 18.84 epochs (lr × √8) or 53.28 epochs" in text
    elsewhere_too = " ".join(lines(run, f"{words} --to-batch-size 2048 --to tfa-adamw"))
    assert "Left at" not in elsewhere_too


def test_a_moved_batch_shows_the_parts_that_it_keeps(run):
    words = "transfer 0.1 --from pytorch-adamw --lr 3e-4 -B 256 --grad-accum 2 --world-size 4"
    assert lines(run, f"{words} --to-batch-size 512")[1:3] == [
        "lr 0.0003 · B 2,048 = 256 × 2 × 4",
        "to B 4,096 = 512 × 2 × 4",
    ]
    assert lines(run, f"{words} --to-lr 1e-3")[2] == "to lr 0.001"


def test_a_decay_that_averages_nothing_says_less(run):
    shown = lines(run, "schedule 0.1 --from pytorch-sgd --lr 3 --momentum 0.9 --steps 50")
    assert "fraction of the initial weight left" in shown[5]
    assert "mean age" not in " ".join(shown)


def test_a_verdict_stands_first(run, tmp_path):
    words = "verify 1e-3 --from mean-l2 --to pytorch-sgd --steps 20 --lr 0.1"
    assert lines(run, words)[0].startswith("holds: mean-l2 0.001 = pytorch-sgd 0.002 is exact")
    assert lines(run, f"{words} --to-value 1e-3")[0].startswith("DOES NOT HOLD: ")
    path = tmp_path / "checks.toml"
    check = '[{}]\nvalue = "1"\nfrom = "caffe"\nto = "keras-l2"\nequals = "{}"\n'
    path.write_text(check.format("good", "0.5") + check.format("bad", "0.6"))
    shown = run("check", path).out.splitlines()
    assert shown[0] == "1 of 2 FAILED"
    assert shown[4].split()[:2] == ["FAILED", "bad"]
    path.write_text(check.format("good", "0.5"))
    assert run("check", path).out.startswith("1 of 1 passed\n")


def test_an_axis_is_zoomed_unless_its_values_are_one():
    def panel(*values, **more):
        series = (plot.Series(label="x", values=values),)
        return plot.Panel(title="", unit="", series=series, steps=(0, 1), **more)

    assert plot._value_ticks(panel(0.9990, 1.0))[0][0] > 0.99
    assert plot._value_ticks(panel(0.5, 0.5))[0][0] == 0
    assert plot._value_ticks(panel(0.9990, 1.0, from_zero=True))[0][0] == 0
    pytest.importorskip("matplotlib")
    figure = plot._make_figure((panel(0.999, 1.0), panel(0.5, 1.0, from_zero=True)), "title")
    assert figure.axes[0].get_ylim()[0] > 0.9
    assert figure.axes[1].get_ylim()[0] == 0


def test_both_factors_are_shown_where_a_gradient_takes_another_branch(run):
    shown = "\n".join(lines(run, "convert 0.37 --from timm-adamp --lr 0.0173"))
    assert "with a gradient 0.9936 per step" in shown


def test_a_published_run_names_its_source_once_and_shows_the_decay_s_own_schedule(run):
    shown = lines(run, "inspect dinov2-vit-l-14 --lr 1e-3")
    text = "\n".join(shown)
    assert text.count("vitl14.yaml") == 1
    assert "decay schedule   cosine:final=5" in text
    assert "published: facebookresearch/dinov2" in text
    assert next(line for line in shown if line.startswith(" lr ")).endswith("given")
    plain = "\n".join(lines(run, "inspect resnet-50-goyal-8k"))
    assert "decay schedule" not in plain


def test_a_framework_s_default_is_said_once_beside_one_target(run):
    shown = lines(run, "convert 5e-4 --from yolov5 --to pytorch-sgd -B 16")
    first, second = shown[-2:]
    assert first == "exact at momentum 0; nbs 64, its default"
    assert second == "micro-batches 4, devices 1 (not given)"


@pytest.mark.parametrize(
    ("words", "most"),
    [("recipes", 100), ("conventions keras", 45), ("arch gpt2", 30), ("arch resnet50", 70)],
)
def test_a_list_loses_columns_on_a_narrow_terminal_before_its_rows_become_records(run, words, most):
    shown = run(*words.split(), "--width", "60").out.splitlines()
    assert len(shown) < most
    assert max(map(len, shown)) <= 60


@pytest.mark.parametrize(
    ("source", "lrs"),
    [
        ("pytorch-sgd", ["0.001", "0.0001", "0.00001"]),
        ("pytorch-sgd --loss batch-sum", ["0.01", "0.001", "0.0001"]),
        ("sum-l2", ["0.1", "0.01", "0.001"]),
        ("pytorch-adam", ["0.001", "0.001", "0.001"]),
    ],
)
@pytest.mark.parametrize("targets", ["", "--to keras-l2 --to keras-sgd"])
def test_the_lr_beside_each_loss_follows_its_scale_whatever_is_asked_for(run, source, lrs, targets):
    words = f"convert 1e-2 --from {source} --lr 0.001 -B 10 -N 100 {targets}"
    found = [line.split() for line in lines(run, words) if line.endswith(("mean-l2", "sum-l2"))]
    assert [row[-2] for row in found if row[0] in {"a", "summed"}] == lrs


def test_an_lr_below_float64_s_range_is_left_out(run):
    shown = lines(run, "convert 1 --from pytorch-sgd --lr 1e-303 -N 1e22 --to keras-l2 --to caffe")
    assert next(line.split()[-2] for line in shown if line.endswith("sum-l2")) == "-"


def test_a_number_by_layer_has_no_other_lr_beside_another_loss(run):
    words = "convert 1e-2 --from layer-mean-l2 --lr 0.001 -B 10 -N 100 -a 4-3-2"
    assert run(*words.split(), "--to", "keras-l2").status == 0


@pytest.mark.parametrize("width", [72, 80, 120])
def test_a_key_is_never_broken_where_columns_stand_side_by_side(run, width):
    words = "convert 1 --from pytorch-adamw --lr 0.5 -N 2 -B 1 --epochs 1"
    shown = run(*words.split(), "--width", str(width)).out
    for name in ("ema-timescale-epochs", "weight_decay", "per-step-shrink", "micro-batches"):
        assert name in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("convert 1 --from pytorch-adamw --lr 0.5 -N 2 -B 1 --epochs 1", " 1 epoch "),
        ("convert 1 --from pytorch-adamw --lr 0.5 -N 2 -B 1 --epochs 1", " 1 step "),
        ("schedule 0.1 --from pytorch-adamw --lr 1 --steps 1 --schedule constant",
         "half of the final weights is younger than 1 step "),
        ("schedule 0.1 --from pytorch-adamw --lr 1 --steps 1 --schedule constant:warmup=5",
         "the warm-up of 5 steps is cut off at step 1"),
        ("convert 1e-4 --from pytorch-sgd --lr 1 -N 3 -B 2 --epochs 1 --drop-last",
         "an epoch is 1 step, N/B is 1.5"),
        ("convert 1 --from caffe --steps 9 --epochs 1 -N 3 -B 3 --lr 1",
         "at 1 step an epoch that is 1"),
        ("suggest --parameters 1 --lr 1e-3 -B 1 -N 1 --epochs 1", " 1 parameter, N and B"),
    ],
)  # fmt: skip
def test_one_of_a_unit_is_called_so(run, words, said):
    ran = run(*words.split())
    assert said in " ".join(f"{ran.out} {ran.err}".split())


def test_a_weight_that_is_all_taken_off_is_halved_at_once(run):
    words = "convert 1 --from pytorch-adamw --lr 1 -N 9 -B 3 --epochs 1"
    shown = run(*words.split()).out
    assert "never" not in shown
    assert "0 epochs" in shown
