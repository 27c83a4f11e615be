"""Files that share a trainer's names and are another program's: they are not read as its."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read

MODEL = "n_layer: 12\nn_embd: 768\nblock_size: 1024\nbias: false\n"
SECTIONS = """\
optimizer: {name: adamw, params: {learning_rate: 1e-5, weight_decay: 0.1}}
training: {max_train_epochs: 2, max_train_steps: 2000}
"""
DIFFUSION = """\
model: {type: a.UNet, parameters: {channels: 4}}
train: {micro_batch_size: 4, save_interval: 5, lr: 1e-4, weight_decay: 0.0}
"""
GRAPH = "lr: 0.1\nlr_milestones: [7, 14]\ngamma: 0.1\nmodel: {width: 3}\n"
NETWORK = """\
class Vision:
    def __init__(self, depth=3, width=9):
        self.depth = depth
        self.width = width
        self.input_size = (3, 4)
"""
DEEPSPEED = """\
model_name_or_path: a/b
num_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
train_micro_batch_size_per_gpu: 4
learning_rate: 5e-5
"""
ACCELERATE = """\
per_device_train_batch_size: 6
gradient_accumulation_steps: 4
learning_rate: 3.0e-4
mixed_precision: bf16
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.yaml", MODEL),
        ("m.json", '{"n_layer": 12, "n_embd": 768, "block_size": 1024}'),
        ("a.yaml", SECTIONS),
        ("d.yaml", DIFFUSION),
        ("g.yaml", GRAPH),
        ("v.py", NETWORK),
        ("b.yaml", DEEPSPEED),
        ("f.yaml", ACCELERATE),
    ],
)
def test_another_program_s_file_is_refused(tmp_path, name, text):
    with pytest.raises(UnreadableFileError, match="own keys"):
        read(tmp_path, name, text)


def test_an_evaluation_of_nanogpt_has_no_decay(tmp_path):
    made = read(tmp_path, "e.py", "eval_only = True\nwandb_log = False\nout_dir = 'o'\n")
    assert (made.kind, made.value) == ("nanogpt", None)
    assert "it trains nothing" in made.refusal


def test_a_word_far_down_the_line_is_named_as_a_script_does(tmp_path):
    flags = "--per_device_train_batch_size 4 --num_train_epochs 3 --weight_decay ${11}"
    made = read(tmp_path, "a.sh", f"python t.py {flags}\n")
    assert any("weight_decay: ${11} is only known" in note for note in made.notes)
