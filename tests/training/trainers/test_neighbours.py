"""What a training file may make the program read: regular neighbours, bounded, and nothing else."""

import os
import sys
import time
import zipfile

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.source import load

OWN = "optim_wrapper=dict(optimizer=dict(type='AdamW',lr=1e-3))\ntrain_cfg=dict(max_epochs=3)\n"
BASE = "optim_wrapper=dict(optimizer=dict(weight_decay=0.25))\n"


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def decay_of(path, *bases):
    put(path, f"_base_ = {list(bases)}\n{OWN}")
    return load(str(path)).value


@pytest.mark.parametrize("base", ["../b.py", "b.py", "below/b.py", "../other/b.py"])
def test_a_base_is_read_in_the_files_folder_and_its_parent(tmp_path, base):
    put(tmp_path / "here" / "x" / base, BASE)
    assert decay_of(tmp_path / "here" / "x" / "a.py", base) == "0.25"


def test_a_base_further_up_is_read_within_the_configs_or_the_repository_alone(tmp_path):
    name = "../../_base_/b.py"
    put(tmp_path / "p" / "configs" / "_base_" / "b.py", BASE)
    put(tmp_path / "p" / "q" / "_base_" / "b.py", BASE)
    assert decay_of(tmp_path / "p" / "configs" / "x" / "y" / "a.py", name) == "0.25"
    assert decay_of(tmp_path / "p" / "q" / "x" / "y" / "a.py", name) != "0.25"
    (tmp_path / "p" / ".git").mkdir()
    assert decay_of(tmp_path / "p" / "q" / "x" / "y" / "a.py", name) == "0.25"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    put(tmp_path / "secret.py", BASE)
    folder = tmp_path / "p" / "x"
    folder.mkdir(parents=True)
    (folder / "b.py").symlink_to(tmp_path / "secret.py")
    (folder / "c.py").symlink_to("c.py")
    assert decay_of(folder / "a.py", "b.py", "c.py", "nul\\0byte.py") != "0.25"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", f"_base_ = ['pipe.yaml']\n{OWN}"),
        ("solver.prototxt", 'net: "pipe.yaml"\nbase_lr: 0.1\nmax_iter: 9\nlr_policy: "fixed"\n'),
        ("a.sh", "accelerate launch --config_file pipe.yaml t.py --learning_rate 1e-3 --weight_decay 1 --num_train_epochs 3 --per_device_train_batch_size 4\n"),  # noqa: E501
        ("a.yaml", "_BASE_: pipe.yaml\nSOLVER: {IMS_PER_BATCH: 2, BASE_LR: 0.1, MAX_ITER: 9}\n"),
    ],
)  # fmt: skip
def test_a_pipe_beside_the_file_is_never_opened(tmp_path, name, text):
    os.mkfifo(tmp_path / "pipe.yaml")
    put(tmp_path / name, text)
    start = time.monotonic()
    load(str(tmp_path / name))
    assert time.monotonic() - start < 2


def test_standard_input_is_no_neighbour(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    put(tmp_path / "a.py", f"_base_ = ['-']\n{OWN}")
    assert any("- is not here" in note for note in load("./a.py").notes)


def test_files_that_stand_on_each_other_are_counted_together(tmp_path):
    for at in range(5):
        put(tmp_path / f"a{at}.py", f"_base_ = {[f'a{at + 1}.py'] * 40}\n{OWN}")
    with pytest.raises(UnreadableFileError, match="more than 50 files"):
        load(str(tmp_path / "a0.py"))


MANY = "a = dict(x=1)\n" + "a = dict(p=a, q=a, r=a)\n" * 60
DEEP = "b0 = dict(x=1)\n" + "".join(f"b{n + 1} = dict(p=b{n})\n" for n in range(300))
LAUGHS = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n + 1}: &a{n + 1} {{p: *a{n}, q: *a{n}, r: *a{n}}}\n" for n in range(40)
)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.py", MANY + OWN, "more than 200000 values"),
        ("a.py", DEEP + OWN, "nested more than 100 deep"),
        ("a.yaml", LAUGHS + "opt: adamw\nlr: 1e-3\nepochs: 3\n", "more than 200000 values"),
    ],
)
def test_a_part_that_stands_in_many_places_is_counted_in_each(tmp_path, name, text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        load(str(put(tmp_path / name, text)))


def test_a_base_that_is_beyond_all_bounds_is_not_read(tmp_path):
    put(tmp_path / "b.py", MANY)
    assert decay_of(tmp_path / "a.py", "b.py") == decay_of(tmp_path / "a.py")


@pytest.mark.parametrize("line", ["t.py --x 1 ", "t.py --x 1\ntorchrun "])
def test_the_words_of_a_script_are_counted(tmp_path, line):
    script = put(tmp_path / "a.sh", "torchrun " + line * 17_000)
    with pytest.raises(UnreadableFileError, match="more than 50000 words"):
        load(str(script))


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", str(list(range(1000))))
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=r"not a \.keras archive"):
        load(str(path))


ARGUMENTS = """\
model_name_or_path: a/b
learning_rate: 2e-5
weight_decay: 0.1
lr_scheduler_type: cosine
per_device_train_batch_size: 4
num_train_epochs: 1
"""
FACTORY = f"stage: sft\nfinetuning_type: full\n{ARGUMENTS}"


@pytest.mark.parametrize(
    ("command", "text", "lr"),
    [
        ("trl sft --config r/own.yaml --learning_rate 1e-4", ARGUMENTS, 1e-4),
        ("accelerate launch t.py --config r/own.yaml --num_train_epochs 2", ARGUMENTS, 2e-5),
        ("llamafactory-cli train r/own.yaml learning_rate=1e-4", FACTORY, 1e-4),
        ("llamafactory-cli train r/own.yaml", FACTORY, 2e-5),
        ("python t.py r/own.yaml", ARGUMENTS, 2e-5),
        ("torchrun src/train.py r/own.yaml learning_rate=1e-4", FACTORY, 1e-4),
        ("accelerate launch -m some.train r/own.yaml --learning_rate 1e-4", ARGUMENTS, 1e-4),
    ],
)
def test_a_command_s_flags_lie_over_the_file_that_it_takes_its_settings_from(
    tmp_path, command, text, lr
):
    (tmp_path / ".git").mkdir()
    put(tmp_path / "r" / "own.yaml", text)
    script = put(tmp_path / "scripts" / "run.sh", f"{command}\n")
    found = load(str(script))
    assert (found.value, found.schedule, float(found.run.lr)) == ("0.1", "cosine", lr)
    assert next(each for each in found.quantities if each.name == "weight_decay").where == (
        "own.yaml: weight_decay"
    )


_OLMO = """\
max_duration: 1000
optimizer: {name: adamw, learning_rate: 4e-4, weight_decay: 0.2}
scheduler: {name: constant, t_warmup: 0}
"""
_TITAN = """\
[model]
flavor = "x"
[optimizer]
lr = 4e-4
weight_decay = 0.2
[training]
local_batch_size = 4
"""
_LEVANTER = """\
trainer: {train_batch_size: 8, num_train_steps: 1000}
optimizer: {learning_rate: 4e-4, weight_decay: 0.2}
"""
_FAIRSEQ = """\
optimizer: {_name: adam, weight_decay: 0.2}
optimization: {lr: [4e-4], max_update: 1000}
lr_scheduler: {_name: fixed}
"""
_NANOGPT = "out_dir = 'o'\nlearning_rate = 4e-4\nweight_decay = 0.2\nmax_iters = 1000\n"


# A flag changes one number of a section; the file's other numbers stay.
@pytest.mark.parametrize(
    ("file", "text", "command"),
    [
        ("c/o.yaml", _OLMO, "torchrun scripts/train.py c/o.yaml --optimizer.learning_rate=1e-3"),
        ("c/t.toml", _TITAN, "bash train.sh --job.config_file c/t.toml --optimizer.lr 1e-3"),
        ("c/l.yaml", _LEVANTER,
         "python -m levanter.main.train_lm --config_path c/l.yaml --optimizer.learning_rate 1e-3"),
        ("c/f.yaml", _FAIRSEQ,
         "fairseq-hydra-train --config-dir c/ --config-name f optimization.lr=1e-3"),
        ("c/f.yaml", _FAIRSEQ,
         "python t.py --config-path c --config-name f.yaml optimization.lr=1e-3"),
        ("c/n.py", _NANOGPT, "torchrun --nproc_per_node=8 train.py c/n.py --learning_rate=1e-3"),
    ],
)  # fmt: skip
def test_flags_lie_over_the_file_that_is_named_beside_them(tmp_path, file, text, command):
    put(tmp_path / file, text)
    found = load(str(put(tmp_path / "run.sh", f"{command}\n")))
    assert (found.value, float(found.run.lr)) == ("0.2", 1e-3)


def test_maxtexts_base_is_what_its_defaults_are(tmp_path):
    command = "python -m MaxText.train configs/base.yml run_name=x learning_rate=1e-3"
    found = load(str(put(tmp_path / "run.sh", f"{command}\n")))
    assert (found.kind, found.value, float(found.run.lr)) == ("maxtext", "0.1", 1e-3)


def test_verls_defaults_are_of_the_file_that_hydra_composes(tmp_path):
    command = (
        "python -m verl.trainer.main_ppo --config-path=config --config-name=ppo_trainer"
        " algorithm.adv_estimator=grpo actor_rollout_ref.actor.optim.lr=1e-6"
        " actor_rollout_ref.actor.ppo_mini_batch_size=64 trainer.total_epochs=15"
    )
    assert load(str(put(tmp_path / "run.sh", f"{command}\n"))).kind == "verl"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("r/none.yaml", "'r/none.yaml' is not here"), ("$1", "is only known when the script runs")],
)
def test_without_that_file_a_command_is_refused(tmp_path, name, reason):
    flags = "--learning_rate 1e-4 --num_train_epochs 2 --per_device_train_batch_size 4"
    script = put(tmp_path / "run.sh", f"python t.py --config {name} {flags}\n")
    with pytest.raises(UnreadableFileError, match=r"takes its settings from a file") as caught:
        load(str(script))
    assert reason in str(caught.value)


def test_another_kind_of_config_is_a_flag_as_any(tmp_path):
    flags = "--learning_rate 1e-4 --num_train_epochs 2 --per_device_train_batch_size 4"
    assert load(str(put(tmp_path / "run.sh", f"python t.py --config small {flags}\n"))).value == "0"


def test_a_trainer_whose_config_is_a_model_s_is_read_without_it(tmp_path):
    flags = "--train_batch_size 2 --max_train_steps 9 --lr_warmup_steps 0 --learning_rate 1e-4"
    script = put(tmp_path / "run.sh", f"python train_dreambooth.py --config m.yaml {flags}\n")
    assert load(str(script)).kind == "diffusers"
