"""Training files, and the ways in which a random case spoils them."""

import json
from importlib import import_module
from pathlib import Path

SEEDS = {
    "train.yaml": (
        "per_device_train_batch_size: 4\nnum_train_epochs: 3\nlearning_rate: 2.0e-4\n"
        "weight_decay: 0.1\nlr_scheduler_type: cosine\nwarmup_ratio: 0.03\noptim: adamw_torch\n"
    ),
    "run.sh": (
        "#!/bin/bash\nLR=2e-5\nARGS=(--weight_decay 0.05 --num_train_epochs $((1 + 1)))\n"
        "torchrun --nproc_per_node 4 train.py --learning_rate ${LR} \\\n"
        '  --per_device_train_batch_size 2 "${ARGS[@]}"\n'
    ),
    "ds.json": json.dumps(
        {
            "train_batch_size": 256,
            "optimizer": {"type": "Adam", "params": {"lr": 3e-4, "weight_decay": 0.1}},
            "scheduler": {"type": "WarmupDecayLR", "params": {"total_num_steps": 10000}},
            "zero_optimization": {"stage": 2},
        },
        indent=1,
    ),
    "args.yaml": (
        "task: detect\nmode: train\nepochs: 20\nbatch: 24\noptimizer: auto\nlr0: 0.01\nlrf: 0.01\n"
        "momentum: 0.937\nweight_decay: 0.0005\nwarmup_epochs: 3.0\nnbs: 64\n"
    ),
    "timm.yaml": "opt: adamw\nlr: 1e-3\nepochs: 100\nwarmup_epochs: 20\nweight_decay: 0.05\n",
    "config.py": (
        "base_lr = 1e-4 * 2\noptim_wrapper = dict(optimizer=dict(type='AdamW', lr=base_lr))\n"
        "param_scheduler = [dict(type='MultiStepLR', milestones=[16, 22])]\n"
        "train_cfg = dict(max_epochs=24)\n"
    ),
    "gpt.py": "max_iters = 600 * 10\nblock_size = 8\nlearning_rate = 6e-4\nweight_decay = 1e-1\n",
    "solver.prototxt": 'base_lr: 0.01\nlr_policy: "step"\ngamma: 0.1\nstepsize: 10\nmax_iter: 45\n',
    "yolo.cfg": "[net]\nbatch=64\nlearning_rate=0.001\nmax_batches=500\npolicy=steps\nsteps=4,5\n",
    "kohya.toml": (
        '[a]\npretrained_model_name_or_path = "x"\noptimizer_type = "AdamW8bit"\n'
        'optimizer_args = ["weight_decay=0.05"]\n[b]\ntrain_batch_size = 2\n'
    ),
    "flags.sh": (
        "torchrun --nproc_per_node=8 train.py --model resnet50 --batch-size 128 --lr 0.5"
        " --lr-scheduler cosineannealinglr --epochs 600 --weight-decay 2e-5 --norm-weight-decay 0\n"
    ),
    "dreambooth.sh": (
        "accelerate launch --num_processes 2 train_dreambooth.py"
        " --pretrained_model_name_or_path acme/x --max_train_steps=15000 --lr_warmup_steps=0"
        " --train_batch_size=1 --lr_scheduler constant --learning_rate 1e-5\n"
    ),
    "keras.json": json.dumps(
        {
            "class_name": "AdamW",
            "config": {
                "learning_rate": 0.001,
                "weight_decay": 0.004,
                "gradient_accumulation_steps": None,
            },
        }
    ),
    "mmcv.py": (
        "optimizer = dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001)\n"
        "optimizer_config = dict(grad_clip=None)\n"
        "lr_config = dict(policy='step', warmup='linear', warmup_iters=500, step=[8, 11])\n"
        "runner = dict(type='EpochBasedRunner', max_epochs=12)\n"
        "data = dict(samples_per_gpu=2, workers_per_gpu=2)\n"
    ),
    "script.py": (
        "import argparse\nimport torch\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--lr', type=float, default=0.1)\nargs = parser.parse_args()\n"
        "def make(m, decay=5e-4):\n    groups = [dict(params=m.parameters(), weight_decay=decay)]\n"
        "    return torch.optim.SGD(groups, lr=args.lr * 2, momentum=0.9)\n"
        "optimizer = make(net)\nloader = torch.utils.data.DataLoader(data, batch_size=64)\n"
        "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 30, gamma=0.2)\n"
        "for epoch in range(90):\n    for x in loader:\n        optimizer.step()\n"
        "    scheduler.step()\n"
    ),
    "wsd.yaml": (
        "per_device_train_batch_size: 4\nmax_steps: 300\nlearning_rate: 2.0e-4\n"
        "weight_decay: 0.1\nlr_scheduler_type: warmup_stable_decay\nlr_scheduler_kwargs:\n"
        "  num_decay_steps: 30\n  decay_type: linear\n  min_lr_ratio: 0.1\n"
    ),
    "sgd.yaml": (
        "SOLVER:\n  IMS_PER_BATCH: 32\n  BASE_LR: 0.04\n  STEPS: (300, 400)\n  MAX_ITER: 450\n"
    ),
}
PIECES = (
    "linear,until=2+file:canary.csv", "file:canary.csv", "10+file:canary.csv",
    "null", "~", "nan", "inf", "-1", "0", "1e400", "5e-324", "9" * 400, "0x" + "f" * 5000, "[", "]",
    "{", "}", "\0", "${", "$((", "'", '"', "\\\n", "&a", "*a", "<<: *a", "!!python/object/apply:os",
    "!new:x", "[" * 3000, "(" * 300, "1+" * 990 + "1", "-" * 1500 + "1", "auto", "1/3", "1_000",
    "#", "=", ":", ",", "é", "\x1b]0;x\x07", "&b [*b, *b]", "<<EOF\n", "|", "%", "a: " * 50,
    "__import__('pathlib').Path('canary').touch()", "true", "1e308", "99999999999999999999999",
)  # fmt: skip


def cut(rng, whole):
    return whole[: rng.randrange(len(whole) + 1)] or " "


def strewn(rng, whole):
    at = rng.randrange(len(whole) + 1)
    return whole[:at] + rng.choice(PIECES) + whole[at:]


def retyped(rng, whole):
    lines = whole.split("\n")
    at = rng.randrange(len(lines))
    mark = next((mark for mark in (": ", "=", " ") if mark in lines[at]), " ")
    lines[at] = f"{lines[at].partition(mark)[0]}{mark}{rng.choice(PIECES)}"
    return "\n".join(lines)


def doubled(rng, whole):
    lines = whole.split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return "\n".join(lines)


def nested(rng, whole):
    lines = whole.split("\n")
    at = rng.randrange(len(lines))
    lines[at] = f"  {lines[at]}"
    return "\n".join(lines)


def mixed(rng, whole):
    lines = whole.split("\n")
    other = rng.choice([*SEEDS.values(), *OF_TRAINERS.values()]).split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(other))
    return "\n".join(lines)


def shuffled(rng, whole):
    lines = whole.split("\n")
    rng.shuffle(lines)
    return "\n".join(lines)


WAYS = (cut, strewn, retyped, doubled, nested, mixed, shuffled)


def mutated(rng, whole):
    """Return a text changed in one to four of these ways."""
    for _ in range(rng.randint(1, 4)):
        whole = rng.choice(WAYS)(rng, whole)
    return whole


# By which ending a file of these is told; the others' text says what it is.
ENDINGS = {"skyrl": "sh", "slime": "sh"}


def _of_trainers():
    """Return the files that the trainers' own tests read, by their modules' names."""
    here = Path(__file__).parent.parent / "training" / "trainers"
    found = {}
    for path in sorted(here.glob("test_*.py")):
        module = import_module(f"tests.training.trainers.{path.stem}")
        own = {name: value for name, value in vars(module).items() if name.isupper()}
        kind = path.stem.removeprefix("test_")
        found |= {
            f"{kind}-{name.lower()}.{ENDINGS.get(kind, 'txt')}": value
            for name, value in own.items()
            if isinstance(value, str) and "{" not in value.partition("\n")[0] and "\n" in value
        }
        found |= {
            f"{kind}-{name.lower()}.json": json.dumps(value)
            for name, value in own.items()
            if isinstance(value, dict) and name in ("FILE", "PRESET")
        }
    return found


OF_TRAINERS = _of_trainers()
