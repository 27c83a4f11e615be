"""The program beside a script: whose loop it is, and which defaults hold; nothing is run."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.reading import program as module
from decaycalc.training.source import read_training
from tests.training.trainers.reading import origins, quantity

FLAGS = "--output_dir o --per_device_train_batch_size 4 --num_train_epochs 2 --learning_rate 1e-4"
RUN = f"python train.py {FLAGS}\n"
TRAINER = "from transformers import Trainer\nTrainer(model).train()\n"
PARSED = "parser.add_argument('--per_device_train_batch_size', type=int, default=2)\n"
LOOP = "for batch in data:\n    loss(batch).backward()\n"


def run(folder, script, **files):
    """Return what a script reads as, with files beside it by their names less the ending."""
    (folder / ".git").mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "scripts").mkdir(exist_ok=True)
    path = folder / "scripts" / "run.sh"
    path.write_text(script)
    return read_training(str(path))


def why_not(folder, script, **files):
    with pytest.raises(UnreadableFileError) as caught:
        run(folder, script, **files)
    return str(caught.value)


def test_a_program_that_is_not_there_is_said(tmp_path):
    made = run(tmp_path, RUN)
    assert made.kind == "hf-trainer"
    assert "its program train.py is not here" in " ".join(made.notes)


def test_a_program_on_the_trainer_is_taken_without_a_word(tmp_path):
    assert run(tmp_path, RUN, train=TRAINER).notes == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PARSED + TRAINER, "takes --per_device_train_batch_size by a parser of its own (train"),
        (f"@dataclass()\nclass Args:\n    num_train_epochs: int = 3\n{TRAINER}", "by a class of"),
        (LOOP, "has a loop of its own, which Hugging Face Trainer does not run: none of Trainer"),
        ("Trainer(m, optimizers=(AdamW(p), None))\n", "hands the Trainer an optimizer of its own"),
    ],
)  # fmt: skip
def test_a_loop_of_its_own_is_refused(tmp_path, text, reason):
    told = why_not(tmp_path, RUN, train=text)
    assert reason in told
    assert told.endswith("--kind hf-trainer reads it so")
    script = str(tmp_path / "scripts" / "run.sh")
    assert read_training(script, kind="hf-trainer").run.examples_per_step == 4


@pytest.mark.parametrize(
    "text",
    [
        "Trainer(m, optimizers=(None, schedule))\n",
        "Trainer(m, optimizers=both)\nother(optimizers=(a, b))\n",
        "not Python at all (\n",
    ],
)
def test_what_says_nothing_of_another_optimizer_is_read(tmp_path, text):
    if "both" in text:
        assert "hands the Trainer" in why_not(tmp_path, RUN, train=text)
    else:
        assert run(tmp_path, RUN, train=text).kind == "hf-trainer"


def test_a_parser_of_a_tool_that_a_program_on_the_trainer_imports_is_not_its_own(tmp_path):
    assert run(tmp_path, RUN, train=f"import tool\n{TRAINER}", tool=PARSED).kind == "hf-trainer"
    assert "(tool.py:1)" in why_not(tmp_path, RUN, train="import tool\n", tool=PARSED)


def test_a_class_of_the_trainers_arguments_has_defaults_of_its_own(tmp_path):
    text = (
        "class Own(TrainingArguments):\n    weight_decay: float = field(default=0.05)\n"
        "@dataclass\nclass Args(Own):\n    optim: str = 'lion_32bit'\n    run: str\n"
        "    lr_scheduler_type: str = dataclasses.field(default_factory=make)\n"
        "@dataclass\nclass Model:\n    warmup_steps: int = 7\n"
    )
    made = run(tmp_path, RUN, train=f"from a.args import Args\n{TRAINER}", a__args=text)
    assert (made.convention, made.value) == ("bitsandbytes-lion", "0.05")
    assert quantity(made, "weight_decay").where == "args.py"
    assert (quantity(made, "warmup_steps").value, made.schedule) == ("0", "linear")


def test_a_method_that_makes_the_optimizer_is_named(tmp_path):
    text = (
        "class Own(Trainer):\n    width = 3\n    def create_optimizer(self):\n        pass\n"
        "class Other(Base):\n    pass\n"
    )
    told = run(tmp_path, RUN, train=text).notes
    assert told == (
        "its program has a create_optimizer of its own (train.py:3): not followed here",
    )


TIMM = "python train.py data --opt adamw --lr 1e-3 --sched cosine -b 64\n"
FORK = """\
from timm.optim import create_optimizer
parser.set_defaults(warmup_epochs=3, **more)
parser.add_argument('--weight-decay', '--wd', type=float, default=0.05)
parser.add_argument('--cooldown-epochs', type=int, default=10)
parser.add_argument('--warmup-epochs', type=int, default=9)
parser.add_argument('--epochs', type=int, default=300)
parser.add_argument('--opt-betas', nargs='+', default=None)
parser.add_argument('--world-size', default=8)
parser.add_argument('--min-lr', default=1e-5)
parser.add_argument('--momentum', default=base.momentum)
parser.add_argument('--warmup-prefix', action='store_true')
parser.add_argument('--pin', action='store_false')
parser.add_argument('data', help='where')
"""


def test_a_forks_own_defaults_hold(tmp_path):
    made = run(tmp_path, TIMM, train=FORK)
    assert (made.kind, made.value, made.run.epochs) == ("timm", "0.05", 310)
    told = "cosine:final=0.01,length=300epochs,per=1epochs,over=run,warmup=3epochs,start=0.01"
    assert made.schedule == told
    assert quantity(made, "weight_decay").where == "train.py"
    assert origins(made)["warmup_prefix"] == "default"
    assert made.run.world_size == 1


def test_a_default_that_only_a_run_would_tell_is_open(tmp_path):
    made = run(tmp_path, TIMM.replace("adamw", "momentum"), train=FORK)
    assert made.run.momentum is None
    assert any("--momentum has a default" in note for note in made.notes)


def test_a_number_that_the_optimizer_is_given_outright_holds(tmp_path):
    made_of = "torch.optim.AdamW(groups, lr=args.lr, eps=1e-4, betas=(0.9, 0.95))\nstep(lr=1)\n"
    made = run(tmp_path, TIMM, train=FORK + made_of)
    assert (made.eps, made.betas) == ("0.0001", ("0.9", "0.95"))
    twice = FORK + made_of + made_of
    assert run(tmp_path, TIMM, train=twice).eps == "1e-08"


@pytest.mark.parametrize(
    "command",
    ["python train.py", "python ./train.py", "python $HERE/train.py",
     "python3 /home/me/own/train.py", "sh launch.sh 2", "./launch.sh 2"],
)  # fmt: skip
def test_a_program_is_found_by_its_tail_and_through_a_launcher(tmp_path, command):
    (tmp_path / "launch.sh").write_text('N=$1\nshift\ntorchrun --nproc_per_node=$N train.py "$@"\n')
    made = run(tmp_path, TIMM.replace("python train.py", command), train=FORK)
    assert made.value == "0.05"


def test_timms_launcher_tells_the_devices_behind_a_shell_too(tmp_path):
    made = run(tmp_path, TIMM.replace("python train.py", "bash distributed_train.sh 8"))
    assert made.run.world_size == 8


@pytest.mark.parametrize("place", ["own/train.py", "own/train/__main__.py", "src/own/train.py"])
def test_a_module_is_found_by_its_dots(tmp_path, place):
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(FORK)
    assert run(tmp_path, TIMM.replace("train.py", "-m own.train")).value == "0.05"


def test_a_program_in_the_one_folder_that_has_it_is_found_within_a_repository(tmp_path):
    assert run(tmp_path, TIMM, own__train=FORK).value == "0.05"
    assert run(tmp_path, TIMM, other__train=FORK).value == "2e-5"
    assert module._beside(tmp_path / "none", "train.py") == []
    (tmp_path / ".git").rmdir()
    (tmp_path / "other" / "train.py").unlink()
    assert read_training(str(tmp_path / "scripts" / "run.sh")).value == "2e-5"


def test_relative_imports_are_followed_within_reach_and_bounds(tmp_path, monkeypatch):
    files = {
        "a__train": "from . import b\nfrom ..c import d\nimport json\n",
        "a__b": "import a.b\n",
    }
    made = run(tmp_path, TIMM.replace("train.py", "a/train.py"), c__d=FORK, **files)
    assert made.value == "0.05"
    monkeypatch.setattr(module, "_MOST_FILES", 1)
    assert read_training(str(tmp_path / "scripts" / "run.sh")).value == "2e-5"


def test_an_import_that_is_not_python_is_passed_over(tmp_path):
    made = run(tmp_path, TIMM, train="from a import b\nfrom .. import c\n" + FORK, a="not Python (")
    assert made.value == "0.05"


def test_a_program_that_is_no_text_is_not_read(tmp_path):
    (tmp_path / "train.py").write_bytes(b"\xff\xfe\x00")
    assert run(tmp_path, TIMM).value == "2e-5"


def test_a_program_too_long_to_read_is_not(tmp_path):
    assert run(tmp_path, TIMM, train=FORK + "#" * 400_000).value == "2e-5"


def test_nanogpts_globals_are_its_forks_defaults_for_a_file_of_settings_too(tmp_path):
    fork = (
        "weight_decay = 0.2\nbatch_size, block_size = 3, 4\nlr.x = 1\ndata = load()\n"
        "exec(open('configurator.py').read())\nmodel.configure_optimizers(weight_decay)\n"
    )
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "own.py"
    path.write_text("out_dir = 'o'\nmax_iters = 100\nlearning_rate = 1e-3\n")
    assert read_training(str(path)).value == "0.1"
    (tmp_path / "train.py").write_text(fork)
    made = read_training(str(path))
    assert (made.kind, made.value) == ("nanogpt", "0.2")
    assert quantity(made, "weight_decay").where == "train.py"


@pytest.mark.parametrize("name", ["sample.py", "sample_addition.py", "nemo_eval.py"])
def test_a_program_that_does_not_train_by_its_name_is_refused(tmp_path, name):
    script = f"python {name} --out_dir o --max_iters 100 --n_layer 2\n"
    assert f"its program {name} does not train" in why_not(tmp_path, script)


def test_a_program_that_trains_and_evaluates_is_read(tmp_path):
    assert run(tmp_path, RUN.replace("train.py", "finetune_evaluation.py")).kind == "hf-trainer"


def test_flags_of_axolotls_names_are_another_programs(tmp_path):
    script = "python finetune.py --base_model a/b --micro_batch_size 2 --learning_rate 1e-4\n"
    assert "not enough of any trainer's own keys" in why_not(tmp_path, script)


def test_a_program_from_transformers_examples_without_groups_lets_all_decay(tmp_path):
    flags = "--learning_rate 1e-4 --num_train_epochs 2 --weight_decay 0.1 --num_warmup_steps 5"
    script = f"python train.py --per_device_train_batch_size 4 {flags}\n"
    assert "norms by other names" in run(tmp_path, script).exempt.rule
    grouped = "no_decay = ['bias']\noptimizer = AdamW(groups, lr=args.lr)\n"
    assert "norms by other names" in run(tmp_path, script, train=grouped).exempt.rule
    made = run(tmp_path, script, train="optimizer = AdamW(model.parameters(), lr=args.lr)\n")
    assert made.exempt.rule == "nothing"
    assert any("AdamW is taken for its own" in note for note in made.notes)


def test_a_program_that_is_not_python_tells_nothing_of_an_unknown_command(tmp_path):
    text = "import torch\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\nnot Python (\n"
    told = why_not(tmp_path, "python train.py --colour blue --rate 3\n", train=text)
    assert "own keys" in told
