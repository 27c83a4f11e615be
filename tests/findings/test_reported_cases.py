"""Reported faults that the rules must find, and ordinary set-ups that they must leave alone.

The faults are kinds of public reports of 2024 to 2026; the set-ups are the frameworks' own, here as
files, and as live optimizers in tests/conformance/test_ordinary_optimizers.py.
"""

import json

import pytest

import decaycalc
from tests.training.live.frameworks import AdamW, Model, network, tensor

SMALL = ("ln_", "bias")
MATRICES = ("attn", "mlp.weight", "wte")


def found(source, model=None, **more):
    return {each.code for each in decaycalc.inspect(source, model, **more).findings}


def of_file(tmp_path, name, text, **more):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return decaycalc.inspect(str(path), **more).findings


def groups(model, *pairs):
    return AdamW([
        {"params": model.some(*words), "weight_decay": decay} for words, decay in pairs
    ], lr=3e-4)  # fmt: skip


def lora(_):
    model = network(h__lora_A=tensor(2, 4), h__lora_B=tensor(4, 2))
    own = groups(model, (("lora_A", *MATRICES), 0.01), (("lora_B", *SMALL), 0.0))
    return found(own, model)


def norms(_):
    model = network()
    return found(groups(model, (("ln_", *MATRICES), 0.1), (("bias",), 0.0)), model)


def everything(_):
    model = network()
    return found(AdamW(model.tensors.values(), weight_decay=0.1), model)


def flat(_):
    model = Model(_flat_param=tensor(512))
    own = AdamW([{"params": [], "weight_decay": 0.1},
                 {"params": list(model.tensors.values()), "weight_decay": 0.0}])  # fmt: skip
    return found(own, model)


def merged(_):
    model = network()
    return found(groups(model, (MATRICES, 0.1), (SMALL, 0.1)), model)


def few_bits(_):
    return found(AdamW([tensor(4, 4, dtype="torch.bfloat16")], lr=3e-4))


def twice(_):
    model = network()
    return found(groups(model, (("wte", *MATRICES), 0.1), (("wte", *SMALL), 0.1)), model)


def unread_scales(_):
    own = AdamW([{"params": [tensor(2, 2)], "lr_scale": scale} for scale in (0.25, 0.5, 1.0)])
    return found(own)


def silent_default(tmp_path):
    text = "opt: adamw\nlr: 1e-3\nepochs: 100\n"
    return {each.code for each in of_file(tmp_path, "args.yaml", text)}


def not_passed_on(tmp_path):
    settings = {"optim": "galore_adamw", "weight_decay": 0.1, "learning_rate": 1e-4}
    made = of_file(tmp_path, "a.json", json.dumps(settings), kind="hf-trainer")
    return {each.code for each in made}


def resumed(_):
    model = network()
    own = AdamW([{"params": model.some(*MATRICES)}, {"params": model.some(*SMALL),
                 "weight_decay": 0.0}], weight_decay=0.1)  # fmt: skip
    own.param_groups[0]["weight_decay"] = 0.01  # as load_state_dict leaves a checkpoint's groups
    return found(own, model)


# Not found by a rule: a release whose decay does nothing, which `probe` measures.
REPORTED = {
    "a LoRA+ group lost its decay": (lora, "DC207"),
    "a refactor lost the exemption of norms": (norms, "DC202"),
    "all tensors decay": (everything, "DC201"),
    "one flat parameter a shard": (flat, "DC203"),
    "groups were merged again": (merged, "DC201"),
    "bfloat16 weights swallow the decay": (few_bits, "DC401"),
    "the decay is applied twice": (twice, "DC205"),
    "scales that no scheduler reads": (unread_scales, "DC209"),
    "a default that the file does not name": (silent_default, "DC104"),
    "λ of a resumed run is stale": (resumed, "DC111"),
    "GaLore in the Trainer": (not_passed_on, "DC102"),
}


@pytest.mark.parametrize("name", REPORTED)
def test_a_reported_fault_is_found_by_its_code(name, tmp_path):
    make, code = REPORTED[name]
    assert code in make(tmp_path)


def test_eleven_of_the_twelve_reported_kinds_are_found():
    assert len(REPORTED) == 11


def test_a_release_whose_decay_does_nothing_is_found_by_probe():
    still = type("AdamW", (AdamW,), {"__module__": "torch.optim.adamw", "step": lambda _: None})
    probed = decaycalc.probe(still([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert probed.agrees is False
    assert probed.groups[0].decay_per_step == 0


# nanoGPT config/train_gpt2.py; timm's args.yaml of a ViT; OLMo configs/official/OLMo-1B.yaml;
# torchtitan models/llama3/train_configs/llama3_8b.toml; TrainingArguments of a fine-tuning.
ORDINARY = {
    "train_gpt2.py": """
batch_size = 12
block_size = 1024
gradient_accumulation_steps = 5 * 8
max_iters = 600000
lr_decay_iters = 600000
learning_rate = 6e-4
min_lr = 6e-5
weight_decay = 1e-1
init_from = 'scratch'
""",
    "args.yaml": """
model: vit_base_patch16_224
opt: adamw
lr: 0.001
weight_decay: 0.05
epochs: 300
sched: cosine
warmup_epochs: 5
batch_size: 128
""",
    "OLMo-1B.yaml": """
optimizer:
  name: adamw
  learning_rate: 4.0e-4
  weight_decay: 0.1
  decay_norm_and_bias: true
  decay_embeddings: true
  betas: [0.9, 0.95]
scheduler:
  name: cosine_with_warmup
  t_warmup: 2000
  alpha_f: 0.1
max_duration: 739_328
global_train_batch_size: 2048
device_train_microbatch_size: 8
""",
    "llama3_8b.toml": """
[model]
name = "llama3"
flavor = "8B"
[optimizer]
name = "AdamW"
lr = 3e-4
eps = 1e-8
[lr_scheduler]
warmup_steps = 200
[training]
local_batch_size = 1
seq_len = 8192
steps = 1000
""",
    "trainer.yaml": """
learning_rate: 2.0e-5
weight_decay: 0.01
lr_scheduler_type: cosine
warmup_ratio: 0.03
num_train_epochs: 3
per_device_train_batch_size: 8
gradient_accumulation_steps: 4
optim: adamw_torch_fused
output_dir: out
bf16: true
""",
}
KINDS = dict(zip(ORDINARY, ("nanogpt", "timm", "olmo", "torchtitan", "hf-trainer"), strict=True))


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_file_has_nothing_of_a_warning(name, tmp_path):
    path = tmp_path / name
    path.write_text(ORDINARY[name], encoding="utf-8")
    made = decaycalc.inspect(str(path))
    assert made.training.kind == KINDS[name]
    assert [(each.code, each.message) for each in made.findings if each.level != "note"] == []


def test_bf16_alone_is_a_note_and_weights_in_bfloat16_a_warning(tmp_path):
    text = ORDINARY["trainer.yaml"]
    for own, level in ((text, "note"), (text + "torch_dtype: bfloat16\n", "warning")):
        made = of_file(tmp_path, "trainer.yaml", own)
        (lost,) = [each for each in made if each.code == "DC401"]
        assert lost.level == level
