"""Training configurations of other programs, read as recipes; hostile ones are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers import is_file_name, read_recipe, result
from decaycalc.training.trainers.result import decimal
from decaycalc.training.trainers.syntax.prototext import parse_prototext

SOLVER = """
# AlexNet's
net: "models/train_val.prototxt"
base_lr: 0.01
lr_policy: "step"
gamma: 0.1
stepsize: 100000
display: 20
max_iter: 450000
momentum: 0.9
weight_decay: 0.0005
iter_size: 2
solver_mode: GPU
clip_gradients: 10
"""
NETWORK = """
name: 'AlexNet'
layer {
  name: "data" type: "Data"
  include { phase: TEST }
  data_param { batch_size: 50 }
}
layer {
  name: "data" type: "Data"
  include { phase: TRAIN }
  data_param { source: "x" batch_size: 256, backend: LMDB }
}
layer {
  name: "conv1"
  param { lr_mult: 1 decay_mult: 1 }
  param { lr_mult: 2; decay_mult: 0 }
  convolution_param { kernel_size: [11, 11] num_output: 96 }
}
layers { name: "fc" blobs_lr: 1 blobs_lr: 2 weight_decay: 250 }
layer { name: "norm" param { lr_mult: 1 } param { } param { lr_mult: 0 } }
"""


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


def refused(path):
    with pytest.raises(UnreadableFileError) as caught:
        read_recipe(path)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


def test_a_caffe_solver_is_read_with_its_network(write):
    write("train_val.prototxt", NETWORK)
    imported = read_recipe(write("solver.prototxt", SOLVER))
    recipe = imported.recipe
    assert (recipe.convention, recipe.value, recipe.lr) == ("caffe", "0.0005", "0.01")
    assert (recipe.momentum, recipe.nesterov, recipe.steps) == ("0.9", False, 450000)
    assert recipe.batch_size == 512
    assert recipe.schedule == "step:every=100000,gamma=0.1"
    assert imported.notes == ("not read: clip_gradients",)
    found = {m.layer: (m.lr_mult, m.decay_mult) for m in imported.multipliers}
    assert found == {
        "conv1.weight": ("1", "1"),
        "conv1.bias": ("2", "0"),
        "fc.weight": ("1", "250"),
        "fc.bias": ("2", "1"),
        "norm.weight": ("1", "1"),
        "norm.bias": ("1", "1"),
        "norm.2": ("0", "1"),
    }


def test_a_caffe_solver_alone_says_what_it_lacks(write):
    imported = read_recipe(write("solver.prototxt", SOLVER))
    assert imported.recipe.batch_size is None
    assert "is not here" in imported.notes[0]
    bare = read_recipe(write("bare.prototxt", "base_lr: 1e-3"))
    assert "names no network" in bare.notes[0]
    assert (bare.recipe.value, bare.recipe.momentum) == ("0", "0")
    assert bare.recipe.schedule == "constant"


def test_a_network_without_a_training_batch_leaves_it_open(write):
    write("train_val.prototxt", 'layer { name: "data" input_param { shape: { dim: 1 } } }')
    assert read_recipe(write("solver.prototxt", SOLVER)).recipe.batch_size is None


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ('lr_policy: "fixed"', "constant"),
        ('lr_policy: "inv" gamma: 0.0001 power: 0.75', "inverse:gamma=0.0001,power=0.75"),
        ('lr_policy: "poly" power: 0.5', "polynomial:power=0.5"),
        ('lr_policy: "exp" gamma: 0.99', "exponential:gamma=0.99"),
        (
            'lr_policy: "multistep" stepvalue: 10 stepvalue: 20 gamma: 0.1',
            "step:at=10/20,gamma=0.1",
        ),
    ],
)
def test_caffe_policies_become_schedules(write, lines, schedule):
    imported = read_recipe(write("s.prototxt", f"base_lr: 1 {lines} type: 'Nesterov' momentum: .9"))
    assert imported.recipe.schedule == schedule
    assert imported.recipe.nesterov


def test_a_caffe_policy_without_equal_is_noted(write):
    imported = read_recipe(write("s.prototxt", 'base_lr: 1 lr_policy: "sigmoid"'))
    assert imported.recipe.schedule is None
    assert "'sigmoid'" in imported.notes[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no Caffe solver"),
        ("weight_decay: 1", "no Caffe solver"),
        ("base_lr: fast", "is not a number"),
        ("base_lr: nan", "must be finite"),
        ("base_lr: 1 max_iter: 1.5", "whole number"),
        ("base_lr: 1 max_iter: 0", "whole number"),
        ("base_lr: 1 type: 'Adam'", "neither SGD nor Nesterov"),
        ("base_lr: 1 regularization_type: 'L1'", "no weight decay"),
        ("base_lr: 'x", "without its end"),
        ("base_lr: {", "line 2: expected a field's name"),
        ("base_lr: }", "expected a value"),
        ("base_lr: [1, 2", "expected ',' or ']'"),
        ("base_lr:", "expected a value"),
        (": 1", "expected a field's name"),
        ("}", "expected a field's name"),
        ("a {" * 60, "at most 50 deep"),
        ("a {" * 100_000, "at most 50 deep"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_broken_solvers_are_refused(write, text, reason):
    assert reason in refused(write("s.prototxt", text))


def test_a_list_of_values_sets_a_field_many_times(tmp_path):
    assert parse_prototext("at: [1, 2, 3]; name: ''", tmp_path).texts("at") == ["1", "2", "3"]


def test_a_darknet_network_is_read(write):
    text = """[net]
# Training
batch=64
subdivisions=16
momentum=0.9
decay=0.0005
saturation = 1.5
learning_rate=0.001
burn_in=1000
max_batches = 500200
policy=steps
steps=400000,450000
scales=.1,.1
letter_box=1

[convolutional]
this is not read
"""
    imported = read_recipe(write("yolov3.cfg", text))
    recipe = imported.recipe
    assert (recipe.convention, recipe.value, recipe.lr) == ("darknet", "0.0005", "0.001")
    assert (recipe.batch_size, recipe.steps, recipe.momentum) == (64, 500200, "0.9")
    assert recipe.schedule == "step:at=400000/450000,gamma=.1/.1,warmup=1000,warmup_power=4"
    assert imported.notes == ()


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("policy=poly\npower=4", "polynomial:power=4"),
        ("policy=constant", "constant"),
        ("policy=exp\ngamma=.9", "exponential:gamma=.9"),
        ("policy=sig", None),
        ("policy=steps\nsteps=1,2\nscales=.1", None),
        ("policy=steps\nsteps=x\nscales=.1", None),
    ],
)
def test_darknet_policies_become_schedules(write, lines, schedule):
    imported = read_recipe(write("n.cfg", f"[network]\nbatch=1\n{lines}\ntrack_rate=3"))
    assert imported.recipe.schedule == schedule
    assert imported.recipe.value == "0.0001"
    assert "not read: track_rate" in imported.notes
    assert any("Darknet's own 0.0001" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "[net] section"),
        ("[convolutional]\nbatch=1", "[net] section"),
        ("[net]\nbatch", "line 2: expected key=value"),
        ("[net]\nadam=1", "Adam"),
        ("[net]\ndecay=1e400", "finite"),
    ],
)
def test_broken_darknet_networks_are_refused(write, text, reason):
    assert reason in refused(write("n.cfg", text))


def training_arguments(**changes):
    settings = {
        "learning_rate": 2e-5,
        "weight_decay": 0.01,
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": 4,
        "num_train_epochs": 3.0,
        "max_steps": -1,
        "warmup_steps": 0,
        "lr_scheduler_type": "linear",
        "optim": "adamw_torch_fused",
        "logging_steps": 500,
        "adam_beta1": 0.9,
        "lr_scheduler_kwargs": None,
        "max_grad_norm": 1.0,
    }
    return json.dumps({**settings, **changes})


def test_training_arguments_are_read(write):
    imported = read_recipe(write("training_args.json", training_arguments()))
    recipe = imported.recipe
    assert (recipe.convention, recipe.value, recipe.lr) == ("hf-trainer", "0.01", "2e-05")
    assert (recipe.batch_size, recipe.epochs, recipe.steps) == (64, "3.0", None)
    assert (recipe.betas, recipe.schedule) == (("0.9", "0.999"), "linear")
    assert "--world-size" in imported.notes[0]


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"max_steps": 100}, "steps", 100),
        ({"max_steps": 100}, "epochs", None),
        ({"warmup_steps": 500}, "schedule", "linear:warmup=500"),
        ({"warmup_ratio": 0.1}, "schedule", "linear:warmup=10%"),
        ({"warmup_steps": 0.05}, "schedule", "linear:warmup=5%"),
        ({"lr_scheduler_type": "SchedulerType.COSINE"}, "schedule", "cosine"),
        ({"lr_scheduler_type": "reduce_lr_on_plateau"}, "schedule", None),
        ({"optim": "adafactor"}, "convention", "hf-adafactor"),
        ({"optim": "sgd"}, "convention", "pytorch-sgd"),
        ({"optim": "sgd"}, "betas", None),
        ({"dataloader_drop_last": True}, "drop_last", True),
    ],
)
def test_training_arguments_decide_the_recipe(write, changes, field, expected):
    recipe = read_recipe(write("a.json", training_arguments(**changes))).recipe
    assert getattr(recipe, field) == expected


def test_training_arguments_defaults_and_open_keys_are_noted(write):
    imported = read_recipe(write("a.json", '{"weight_decay": 0.1, "optim_args": "x", "lr_mix": 1}'))
    assert imported.recipe.lr == "5e-05"
    assert any("learning_rate is not set" in note for note in imported.notes)
    assert "not read: lr_mix, optim_args" in imported.notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[1]", "no JSON object"),
        ("{}", "neither learning_rate nor weight_decay"),
        ("[" * 100_000, "nested too deeply"),
        ('{"weight_decay": NaN}', "must be finite"),
        ('{"weight_decay": true}', "is not a number"),
        ('{"weight_decay": {}}', "is not a number"),
        ('{"weight_decay": 0, "optim": "galore_x"}', "no convention here"),
        ('{"weight_decay": 0, "per_device_train_batch_size": 0.5}', "whole number"),
    ],
)
def test_broken_training_arguments_are_refused(write, text, reason):
    assert reason in refused(write("a.json", text))


NANOGPT = """
# config for training GPT-2 (124M)
wandb_log = True
batch_size = 12
block_size = 1024
gradient_accumulation_steps = 5 * 8
max_iters = 600000
lr_decay_iters = max_iters
learning_rate = 6e-4
min_lr = learning_rate / 10
weight_decay = 1e-1
init_from = 'scratch'
import os; os.system('false')
a = b = 1
a, c = 1, 2
"""


def test_a_nanogpt_configuration_is_read_and_never_run(write):
    imported = read_recipe(write("train_gpt2.py", NANOGPT))
    recipe = imported.recipe
    assert (recipe.convention, recipe.value, recipe.lr) == ("nanogpt", "0.1", "0.0006")
    assert (recipe.batch_size, recipe.unit, recipe.steps) == (491520, "tokens", 600000)
    assert recipe.schedule.startswith("cosine:warmup=2000,final=")
    assert float(recipe.schedule.rpartition("=")[2].split("/")[0]) > 0
    assert recipe.betas == ("0.9", "0.95")
    assert imported.notes == ()


def test_nanogpt_defaults_and_open_values_are_noted(write):
    text = "learning_rate = float('1')\nmax_iters = -(-7) - 2 + 1\nlr_scale = 3\nwarmup_iters = 0\n"
    imported = read_recipe(write("c.py", text))
    assert imported.recipe.lr == "0.0006"
    assert imported.recipe.steps == 6
    assert imported.recipe.schedule == "cosine:length=600000,final=0.1"
    assert "learning_rate is computed at run time and was not read" in imported.notes
    assert "not read: lr_scale" in imported.notes


@pytest.mark.parametrize(
    "expression",
    ["9**9**9", "1/0", "'a'*3", "True+1", "f(1)", "x", f"{2**2001}*2", "10**400/3", "+1",
     f"{'7' * 400}/2"],
)  # fmt: skip
def test_nanogpt_expressions_that_cannot_be_known_stay_open(write, expression):
    imported = read_recipe(write("c.py", f"batch_size = 2\nweight_decay = {expression}\n"))
    assert any("weight_decay is computed" in note for note in imported.notes)


def test_nanogpt_without_decay_of_lr_is_constant(write):
    recipe = read_recipe(write("c.py", "decay_lr = False\nbatch_size = 7//2")).recipe
    assert recipe.schedule == "constant"
    assert recipe.batch_size == 3 * 1024 * 40


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1", "sets nothing"),
        ("learning_rate = ", "line 1: it is not Python"),
        ("\0", "not Python"),
        ("(" * 10_000, "not Python"),
        ("x = " + "-" * 50_000 + "1", "nested too deeply"),
        ("x=1\n" * 60_000, "longer than"),
        ("learning_rate = None\nmax_iters = 'x'", "is not a number"),
        ("learning_rate = 0", "lr"),
        ("weight_decay = 1e308*10", "finite"),
        ("batch_size = 2\nmax_iters = 1.5", "whole number"),
    ],
)
def test_broken_nanogpt_configurations_are_refused(write, text, reason):
    assert reason in refused(write("c.py", text))


TIMM = """
aa: rand-m9-mstd0.5
batch_size: 128   # per device
grad_accum_steps: 2
epochs: 300
lr: 0.004
min_lr: 1.0e-06
warmup_lr: 1.0e-05
warmup_epochs: 20
opt: AdamW
opt_betas:
- 0.9
- 0.95
opt_eps: null
momentum: 0.9
sched: cosine
weight_decay: 0.05
layer_decay: 0.65
clip_grad: null
ratio: [0.75, 1.3333]
mean: []
model: 'vit'
nested:
  - a
deeper:
  key: 1
"""


def test_timm_arguments_are_read(write):
    imported = read_recipe(write("args.yaml", TIMM))
    recipe = imported.recipe
    assert (recipe.convention, recipe.value, recipe.lr) == ("timm-adamw", "0.05", "0.004")
    assert (recipe.batch_size, recipe.epochs, recipe.momentum) == (256, "300", None)
    assert recipe.betas == ("0.9", "0.95")
    assert recipe.schedule == "cosine:final=0.00025,per=1epochs,warmup=20epochs,start=0.0025"
    assert "not read: layer_decay" in imported.notes


@pytest.mark.parametrize(
    ("lines", "field", "expected"),
    [
        ("opt: sgd", "nesterov", True),
        ("opt: sgd", "momentum", "0.9"),
        ("opt: momentum", "nesterov", False),
        ("opt: lamb\nlr: 0", "schedule", "cosine:per=1epochs"),
        ("opt: adam\nsched: none", "schedule", "constant"),
        ("opt: adam\nsched: null", "schedule", "constant"),
        ("opt: adam\nsched: tanh", "schedule", None),
        ("opt: sgd\nsched: step\ndecay_epochs: 30", "schedule", "step:every=30epochs,gamma=0.1"),
        (
            "opt: sgd\nsched: multistep\ndecay_milestones:\n- 30\n- 60\ndecay_rate: 0.2",
            "schedule",
            "step:at=30/60epochs,gamma=0.2",
        ),
        ("opt: sgd\nsched: multistep", "schedule", None),
        ("opt: sgd\nmin_lr: 0\nlr: 1\nsched_on_updates: true", "schedule", "cosine"),
        ("opt: sgd\nlr_base: 0.1\nbatch_size: 512", "lr", "0.2"),
        ("opt: adamw\nlr_base: 0.1\nbatch_size: 1024", "lr", "0.2"),
        ("opt: sgd\nlr_base: 0.1\nlr_base_scale: sqrt\nbatch_size: 1024", "lr", "0.2"),
        ("opt: sgd\nlr_base: 0.1", "lr", None),
        ("opt: sgd\nopt_betas: [0.9]", "betas", None),
    ],
)
def test_timm_arguments_decide_the_recipe(write, lines, field, expected):
    assert getattr(read_recipe(write("args.yml", lines)).recipe, field) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "sets no opt"),
        ("opt: kron", "no convention here"),
        ("opt sgd", "line 1: expected key: value"),
        ("opt:sgd", "line 1: expected key: value"),
        ("- a", "an item of no list"),
        ("opt: sgd\n- a", "an item of no list"),
        ("opt: sgd\nlr: [1]", "is not a number"),
        ("opt: sgd\nepochs: -", None),
    ],
)
def test_broken_timm_arguments_are_refused(write, text, reason):
    assert (reason or "is not a number") in refused(write("args.yaml", text))


def test_the_ending_tells_the_kind(write):
    assert is_file_name("./x")
    assert is_file_name("a.YAML")
    assert not is_file_name("pythia-1.4b")
    assert "its ending is none of" in refused(write("x.toml", ""))


def test_what_is_no_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "d.json").mkdir()
    assert "a directory" in refused(tmp_path / "d.json")
    assert "No such file" in refused(tmp_path / "none.json")
    assert "null byte" in refused(tmp_path / "a\0.json")
    (tmp_path / "big.json").write_text("{}" * 100)
    monkeypatch.setattr(result, "LARGEST_FILE", 100)
    assert "larger than 100" in refused(tmp_path / "big.json")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("{}")

    def deny(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", deny)
    assert "Permission denied" in refused(path)


def test_a_quotient_reads_back_exactly():
    assert decimal("6e-5", "6e-4") == "0.1"
    assert decimal("1", "3") == "1/3"


PIECES = (
    "base_lr", "weight_decay", "[net]", "decay", "=", ":", "{", "}", "[", "]", '"', "'", "#", "-",
    "\n", " ", "1e-3", "nan", "learning_rate", "opt", "sgd", "lr", ",", "null", "*", "/", "(", ")",
    "batch_size", "layer", "policy", "steps", "9" * 400, "\x00", "é", "true",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("ending", [".prototxt", ".cfg", ".json", ".py", ".yaml"])
@given(text=st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(folder, ending, text):
    path = folder / f"fuzz{ending}"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        imported = read_recipe(path)
    except UnreadableFileError as error:
        assert "\n" not in str(error)  # noqa: PT017  (that nothing else is raised is the point)
    else:
        assert imported.recipe.convention
