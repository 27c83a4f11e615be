"""Whose file a document is: by its own keys, never by generic ones."""

import subprocess
import sys

import pytest

from decaycalc.errors import UnknownNameError, UnreadableFileError
from decaycalc.training.reading import recognise as module
from decaycalc.training.reading.recognise import find_trainer, trainers
from decaycalc.training.reading.trainer import Signature
from decaycalc.training.source import is_file, read_training
from tests.training.trainers.reading import read

GENERIC = (
    '{"learning_rate":0.05,"weight_decay":0.0005,"batch_size":128,"num_epochs":60,'
    '"optimizer":"SGD","momentum":0.9}'
)


def test_generic_names_never_decide(tmp_path):
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, "own.json", GENERIC)
    text = str(caught.value)
    assert "it has learning_rate, weight_decay, batch_size" in text
    assert "nearest is" not in text
    assert text.endswith("'decaycalc guide training-files' lists the kinds that --kind takes")


def test_keys_of_several_lines_are_named_in_one(tmp_path):
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, "own.json", '{"one\\n\\n two": 1, "three": 2}')
    assert "it has one two, three" in str(caught.value)


def test_the_nearest_kind_is_named(tmp_path):
    with pytest.raises(UnreadableFileError, match="nearest is hf-trainer: give --kind hf-trainer"):
        read(tmp_path, "a.json", '{"num_train_epochs": 3, "weight_decay": 0.1}')


@pytest.mark.parametrize("text", ["datasets:\n- {path: a}\n", "data: {train_batch_size: 4}\n"])
def test_a_name_that_many_programs_share_names_no_kind(tmp_path, text):
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, "a.yaml", text)
    assert "nearest is" not in str(caught.value)


def test_a_kind_overrides_the_keys(tmp_path):
    made = read(tmp_path, "a.json", '{"weight_decay": 0.1}', kind="hf-trainer")
    assert (made.kind, made.value) == ("hf-trainer", "0.1")


@pytest.mark.parametrize(
    ("name", "text", "looks"),
    [
        (
            "a.yaml",
            "base_model: x\nmicro_batch_size: 2\nlearning_rate: 1e-4\n",
            "axolotl's by base",
        ),
        ("a.yaml", "task: detect\nmode: train\nlr0: 0.1\nlrf: 0.1\nbatch: 8\n", "ultralytics's by"),
        (
            "a.json",
            '{"per_device_train_batch_size": 4, "num_train_epochs": 2}',
            "hf-trainer's by num",
        ),
    ],
)
def test_a_kind_does_not_make_another_program_s_file_of_a_plain_one(tmp_path, name, text, looks):
    with pytest.raises(UnreadableFileError, match=f"it looks like {looks}.*, not timm's: leave"):
        read(tmp_path, name, text, kind="timm")


def test_a_kind_holds_among_trainers_whose_files_have_the_same_names(tmp_path):
    text = '{"per_device_train_batch_size": 4, "num_train_epochs": 2, "learning_rate": 1e-4}'
    assert read(tmp_path, "a.json", text, kind="ms-swift").kind == "ms-swift"


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="ultralytics"):
        read(tmp_path, "a.json", "{}", kind="ultralytic")


def test_two_trainers_that_fit_alike_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "fitting", lambda _: trainers()[:2])
    with pytest.raises(UnreadableFileError, match="say which by --kind"):
        read(tmp_path, "a.json", '{"num_train_epochs": 3}')


def test_every_trainer_is_found_by_being_there():
    kinds = [trainer.kind for trainer in trainers()]
    assert kinds == sorted(set(kinds))
    assert {"hf-trainer", "ultralytics", "deepspeed", "axolotl", "timm"} <= set(kinds)
    assert find_trainer("HF_Trainer").kind == "hf-trainer"


@pytest.mark.parametrize("trainer", trainers(), ids=lambda trainer: trainer.kind)
def test_a_table_is_whole(trainer):
    names = [field.name for field in trainer.fields]
    assert len(names) == len(set(names)), "each field once"
    assert trainer.title
    assert trainer.version
    assert trainer.signatures
    assert all(signature.weight for signature in trainer.signatures)


def test_a_signature_asks_for_all_enough_and_none():
    signature = Signature(all_of=("a",), any_of=("b", "c", "d"), at_least=2, none_of=("e",))
    assert signature.fits(frozenset("abc"))
    assert not signature.fits(frozenset("ab"))
    assert not signature.fits(frozenset("bcd"))
    assert not signature.fits(frozenset("abce"))
    assert signature.weight == 3
    assert signature.nearness(frozenset("abx")) == 2


SCRIPT = (
    "python prepare.py --out data\n"
    "python train.py --per_device_train_batch_size 4 --num_train_epochs 1\n"
)


def test_of_several_commands_the_training_one_is_read(tmp_path):
    assert read(tmp_path, "run.sh", SCRIPT).run.examples_per_step == 4


def test_several_training_commands_are_listed_and_one_is_chosen(tmp_path):
    text = SCRIPT + SCRIPT.replace("size 4", "size 8")
    with pytest.raises(UnreadableFileError, match=r"run\.sh:2 \(train\.py\), .*run\.sh:4"):
        read(tmp_path, "run.sh", text)
    assert read_training(f"{tmp_path}/run.sh:4").run.examples_per_step == 8
    assert read_training(f"{tmp_path}/run.sh:2").run.examples_per_step == 4
    with pytest.raises(UnreadableFileError, match="':9' counts its commands, of which it has 4"):
        read_training(f"{tmp_path}/run.sh:9")


def test_a_script_without_a_training_command_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="own keys"):
        read(tmp_path, "run.sh", "python a.py --out x\npython b.py --out y\n")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("-", True),
        ("a/b", True),
        ("x.YAML", True),
        ("run.sh:2", True),
        ("a\0b", False),
        ("x" * 5000, False),
    ],
)
def test_what_looks_like_a_file_is_one(name, is_one):
    assert is_file(name) is is_one


def test_a_script_without_a_known_command_is_judged_by_its_longest(tmp_path):
    path = tmp_path / "run.sh"
    path.write_text("ls -z\npython own.py --rate 3 --colour blue\n", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="rate, colour"):
        read_training(str(path))


def test_the_same_flags_twice_are_one_run(tmp_path):
    text = SCRIPT + SCRIPT.replace("python train.py", "srun python train.py")
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 4


def test_a_program_s_odd_name_does_not_break_the_line(tmp_path):
    text = SCRIPT + SCRIPT.replace("python train.py", '"a\nb"').replace("size 4", "size 8")
    with pytest.raises(UnreadableFileError, match=r"run\.sh:\d \(a b\)"):
        read(tmp_path, "run.sh", text)


FAST_REID = "SOLVER:\n  OPT: Adam\n  MAX_EPOCH: 120\n  BASE_LR: 0.00035\n  WEIGHT_DECAY: 5e-4\n"


@pytest.mark.parametrize("text", [FAST_REID, "_BASE_: ../Base.yml\nDATASETS:\n  NAMES: (a,)\n"])
def test_no_kind_is_named_by_the_keys_of_a_family(tmp_path, text):
    (tmp_path / "Base.yml").write_text(FAST_REID)
    (tmp_path / "own").mkdir()
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path / "own", "a.yml", text)
    assert "nearest is" not in str(caught.value)


WHO = """import sys
from decaycalc.training.source import read_training
read_training(sys.argv[1])
package = "decaycalc.training.trainers."
print(*(name for name in sys.modules if name.startswith(package) and "syntax" not in name))
"""


def test_the_table_that_fits_is_the_only_one_imported(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("base_model: x\nmicro_batch_size: 2\nlearning_rate: 1e-4\ndatasets: [a]\n")
    done = subprocess.run(
        [sys.executable, "-c", WHO, str(path)], capture_output=True, text=True, check=True
    )
    names = done.stdout.split()
    assert "decaycalc.training.trainers.axolotl" in names
    assert len(names) < 10  # what axolotl's takes from another's too


def test_a_module_that_is_not_in_the_index_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "INDEX", {})
    module._signatures.cache_clear()
    made = read(tmp_path, "a.yaml", "base_model: x\nmicro_batch_size: 2\nlearning_rate: 1e-4\n")
    module._signatures.cache_clear()
    assert made.kind == "axolotl"


@pytest.mark.parametrize(
    ("name", "text", "unit"),
    [
        ("train.py", "import torch\nopt = torch.optim.AdamW(p, lr=1e-3)\n", "optimizers"),
        ("one.sh", "python train.py --learning_rate 1e-4\n", "commands"),
    ],
)
def test_a_line_taken_for_the_place_of_an_optimizer_is_told_what_the_number_counts(
    tmp_path, name, text, unit
):
    (tmp_path / name).write_text(text)
    with pytest.raises(UnreadableFileError, match=f"':9' counts its {unit}, and it has one"):
        read_training(f"{tmp_path}/{name}:9")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("config.json", '{"architecture": "resnet50", "pretrained_cfg": {}}', "model's config"),
        ("trainer_state.json", '{"global_step": 5, "log_history": []}', "the Trainer's log"),
        ("a.yaml", "compute_environment: A\ndistributed_type: NO\n", "it is accelerate's"),
        ("README.md", "---\nlicense: mit\n---\n\n- learning_rate: 1e-05\n", "a model's card"),
    ],
)
def test_what_is_no_run_is_told_by_what_it_is(tmp_path, name, text, told):
    with pytest.raises(UnreadableFileError, match=told):
        read(tmp_path, name, text)
