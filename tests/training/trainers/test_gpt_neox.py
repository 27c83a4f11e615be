"""GPT-NeoX's YAML configurations, in braces with comments as its own files are."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

FILE = """\
# a made-up run
{
  # parallelism
  "pipe-parallel-size": 1,
  "model-parallel-size": 1,
  "num-layers": 2,
  "num-attention-heads": 4,
  "seq-length": 512,
  "pos-emb": "rotary",
  "optimizer": {"type": "Adam", "params": {"lr": 0.0005, "betas": [0.9, 0.95], "eps": 1.0e-6}},
  "min_lr": 0.00005,
  "zero_optimization": {"stage": 1},
  "train_micro_batch_size_per_gpu": 8,
  "gas": 2,
  "weight-decay": 0.05,
  "train-iters": 2000,
  "lr-decay-iters": 1000,
  "lr-decay-style": "cosine",
  "warmup": 0.02,
}
"""


def test_its_decay_stands_outside_the_optimizer(tmp_path):
    found = read(tmp_path, "run.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("gpt-neox", "apex-fused-adam", "0.05")
    assert (found.betas, found.eps) == (("0.9", "0.95"), "1e-06")
    assert found.run.examples_per_step == 16
    assert found.unit == "sequences of 512 tokens"
    assert found.schedule == "cosine:warmup=20,length=1000,final=0.1,after=mirror"
    assert shrink(found) == pytest.approx(2.5e-5)
    assert "normalisations" in found.exempt.rule


def test_keys_with_underscores_are_the_same(tmp_path):
    text = FILE.replace("-size", "_size").replace("pipe-", "pipe_").replace("model-", "model_")
    for word in ("num-attention-heads", "train-iters", "lr-decay-iters", "lr-decay-style",
                 "weight-decay", "pos-emb", "seq-length"):  # fmt: skip
        text = text.replace(word, word.replace("-", "_"))
    assert (
        read(tmp_path, "run.yml", text).schedule
        == "cosine:warmup=20,length=1000,final=0.1,after=mirror"
    )


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ('"lr-decay-iters": 1000,', "", "cosine:warmup=40,final=0.1"),
        ('"lr-decay-iters": 1000,', '"lr-decay-fraction": 0.5,',
         "cosine:warmup=20,length=1000,final=0.1,after=mirror"),
        ('"cosine"', '"linear"', "linear:warmup=20,length=1000,floor=0.1"),
        ('"cosine"', '"constant"', "constant:warmup=20"),
        ('"cosine"', '"exponential"',
         "exponential:warmup=20,gamma=0.500073596,every=980,floor=0.1"),
        ('"cosine"', '"spiral"', None),
        ('"lr-decay-iters": 1000,', '"lr-decay-iters": 3000,',
         "cosine:warmup=60,length=3000,final=0.1"),
        ('"train-iters": 2000,', "", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "run.yml", FILE.replace(old, new)).schedule == schedule


@pytest.mark.parametrize(
    ("old", "new", "convention"),
    [
        ('"Adam"', '"cpu_adam"', "deepspeed-adam"),
        ('"Adam"', '"Lion"', "deepspeed-lion"),
        ('"Adam"', '"sm3"', None),
        ('"Adam"', '"sgd"', None),
        ('"min_lr"', '"use_mup": true, "min_lr"', None),
        ('"min_lr"', '"use_bnb_optimizer": true, "min_lr"', "bitsandbytes-adam"),
    ],
)
def test_optimizers(tmp_path, old, new, convention):
    found = read(tmp_path, "run.yml", FILE.replace(old, new))
    assert found.convention == convention
    assert (found.value is None) == (convention is None)


def test_a_whole_batch_counts_all_devices_and_a_model_in_parts_shares_one(tmp_path):
    whole = FILE.replace('"gas": 2', '"train_batch_size": 256')
    assert read(tmp_path, "a.yml", whole).run.examples_per_step == 256
    parts = FILE.replace('"model-parallel-size": 1', '"model-parallel-size": 4')
    found = read(tmp_path, "b.yml", parts)
    assert found.run.examples_per_step == 16
    assert "data-parallel" in quantity(found, "world_size").note
    assert read(tmp_path, "c.yml", parts, world_size="8").run.examples_per_step == 128


def test_megatron_s_own_names_for_batches_are_not_neox_s(tmp_path):
    text = "micro_batch_size: 2\nglobal_batch_size: 64\nnum_layers: 2\nlr: 1e-3\n"
    more = "num_attention_heads: 4\nseq_length: 512\ntrain_iters: 5\nmin_lr: 0\n"
    assert read(tmp_path, "a.yaml", text + more).kind == "megatron"
