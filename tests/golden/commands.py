"""What the program answers to some hundred command lines, recorded and compared.

    python -m tests.golden.commands               # compare: print each difference, status 1 if any
    python -m tests.golden.commands --summary     # the differences by kind, most frequent first
    python -m tests.golden.commands --rel 1e-12   # floats this near to each other are the same
    python -m tests.golden.commands --only arch   # only the lines that contain a text
    python -m tests.golden.commands --renew       # record anew

The record, commands.jsonl, has one object a line: argv as it is typed below, status, stdout and
stderr, and the files that were written. Where an output is a JSON document it is kept parsed, so
that a difference is named by its path; where it is long, its hash and its beginning are kept.
Versions and the temporary folder are replaced by placeholders.

Each line runs in this process, in a folder of its own with the files of inputs.py in it, without
configuration and with an empty home.
"""

import argparse
import contextlib
import difflib
import hashlib
import io
import json
import math
import os
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import decaycalc
from decaycalc.cli.main import main as run_program
from tests.golden.inputs import EVERY, FILES

RECORD = Path(__file__).with_suffix(".jsonl")
LONG = 20_000  # characters of an output beyond which its hash is kept
BEGINNING = 5  # items of each list that are kept of a long document
MOST_SHOWN = 12  # lines that are printed of one difference

# (words before each line, lines); an indented line goes on the one before it. Before the command
# may stand environment variables, NAME=value, and after it an input, < FILE. `cd FOLDER` as the
# first words runs the line there.
LINES: list[tuple[str, str]] = [
    ("", "\n\n-h\n--version\n--version --json\nconvrt\nconvert\n1e-4\n--no-such\nschema --help"),
    # the README's and the guide's questions
    (
        "convert",
        """
1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90
1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90 --json
5e-4 --from caffe --to keras-l2 --value
1e-4 --from keras-l2 --to sklearn-logistic -N 200 --value
0.01 --from pytorch-adamw --to tfa-adamw --lr 1e-3
0.01 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --json
--from keras-l2 --to sklearn-logistic --to pytorch-sgd --to prior-std
--from keras-l2 --to sklearn-logistic --to pytorch-sgd --to prior-std --json
--from pytorch-adamw
--from pytorch-sgd --momentum 0.9 --to keras-sgd --json
5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to keras-sgd --value
5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to keras-sgd --value --match decay
5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to keras-sgd --match decay --json
0.001 --from mean-l2 --arch 784-300-100-10 -N 60000 -B 128 --lr 0.1 --to pytorch-sgd
0.001 --from mean-l2 --arch 784-300-100-10 -N 60000 -B 128 --lr 0.1 --to pytorch-sgd --json
0.001 --from mean-l2 --arch 784-300-100-10 -N 60000 -B 128 --lr 0.1 --to pytorch-sgd --no-bias
0.001 --from mean-l2 --arch 784-300-100-10 --to layer-mean-l2 --json
0.001 --from layer-mean-l2 --arch 784-300-100-10 --to mean-l2 --json
0.001 --from mean-l2 --arch resnet18 --decay-mask all --init glorot --classes 10 --to caffe --json
0.001 --from mean-l2 --arch 25.6e6 --to mean-over-weights-l2 --json
0.01 --from pytorch-adam --to pytorch-adamw --lr 0.001 --gradient-rms 0.1 --value
0.01 --from pytorch-adam --to pytorch-adamw --lr 0.001 --gradient-rms 0.1 --eps 1e-3 --json
0.1 --from pytorch-adamw --lr 0.0006 --to adamw-paper --to tfa-adamw --json
0.2 --from pytorch-adamw --to lion-pytorch --lr 0.002 --to-lr 0.0002 --value
0.2 --from pytorch-adamw --to lion-pytorch --lr 0.002 --to-lr 0.0002 --json
0.2 --from ema-timescale-run --to pytorch-adamw --lr 0.0006 --steps 100000 --value
1e-4 --from pytorch-sgd --to half-life-epochs --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --value -q
5e-4 --from pytorch-sgd --to prior-std -N 50000 --value
60 --from sum-l2 --to batch-sum-l2 -N 60000 -B 128 --value -q
5 --from nielsen --to pytorch-sgd -N 50000 --value
5 --from per-batch-half-l2 --to pytorch-sgd -B 100 --value
5e-4 --from mxnet-sgd --to tfa-sgdw --lr 0.1 --value
1e-4 --from tf-slim-l2 --to keras-l2 --to pytorch-sgd --format csv
""",
    ),
    # each option of a run
    (
        "convert 5e-4 --from pytorch-sgd --lr 0.1",
        """
--to keras-sgd --momentum 0.99 --json
--to keras-sgd --momentum 0.9 --nesterov --json
--to keras-sgd --momentum 0.9 --nesterov --match decay --json
--to keras-sgd --momentum 0.9 --dampening 0.5 --match decay --json
--to pytorch-sgd --momentum 0.9 --to-momentum 0 --match decay --json
--to pytorch-sgd --momentum 0.9 --to-momentum 0.5 --to-nesterov --match decay --json
--to pytorch-sgd --momentum 0.9 --to-dampening 0.3 --json
--to pytorch-sgd --to-lr 0.3 --json
--to pytorch-sgd -B 128 --to-batch-size 512 --loss batch-sum --json
--to pytorch-sgd -B 128 -N 50000 --loss dataset-sum --to-loss mean --json
--to pytorch-sgd -B 128 -N 50000 --loss mean --to-loss batch-sum --json
--to batch-sum-half-l2 -B 128 --grad-accum 4 --world-size 8 -N 50000 --json
--to ema-timescale-epochs -B 128 -N 50000 --epochs 7.5 --drop-last --json
--to per-epoch-factor --to per-run-factor -B 128 -N 50000 --epochs 90 --json
--to half-life-steps --to half-life-epochs --to per-step-factor -B 128 -N 50000 --json
--to per-step-shrink --steps 1000 --schedule cosine:warmup=10% --json
--to per-run-factor --steps 1000 --schedule step:at=300/600,gamma=0.1 --json
--to keras-sgd --steps 1000 --momentum 0.9 --schedule linear:warmup=10 --json
--to keras-l2 --dtype bfloat16
--to keras-l2 --dtype float16 --json
--to yolov5 -B 16 --set nbs=64 --json
--to chainer-adamw --set eta=0.5 --json
--to keras-adamw-package --steps 1000 --json
--to caffe --lr-mult 2 --decay-mult 3 --json
--to pytorch-asgd --set lambd=1e-4 --json
--to sklearn-elastic-net --set l1_ratio=0.25 -N 1000 --json
--to glmnet-gaussian --to spark-linear --set target_std=3 --json
--to lightgbm --to catboost --set n_leaf=20 --json
--to gal-dropout --set keep_probability=0.9 --set length_scale=0.1 -N 1000 --json
--to timm-corrected --set lr_max=0.2 --json
--to timm-sgdw-corrected --set lr_max=0.2 --json
--to fairseq-adam --set lr_initial=0.2 --json
--to pytorch-optimizer-fixed --set lr_initial=0.2 --json
--to timm-sgdp --set wd_ratio=0.2 --json
--to prior-precision --to prior-std -N 50000 --json
--to intrinsic-lr --to adamw-normalized --to ema-timescale-run -N 50000 -B 50 --epochs 3 --json
""",
    ),
    # forms of the answer
    ("convert 1/3 --from pytorch-adamw --lr 1e-3", "--all --json\n--all --format csv"),
    (
        "convert 1e-4 --from pytorch-adamw --lr 1e-3 --to tfa-adamw --to keras-adamw",
        """
--format table
--format table --width 60
--format table --width 200
--format json
--format jsonl
--format csv
--format md
--json -q
-o out.json
-o out.jsonl
-o out.csv
-o out.md
-o out.html
-o out.txt
-o out.svg
-o - --format md
-o out.json --format csv
""",
    ),
    # derivations
    (
        "convert",
        """
1e-4 --from keras-l2 --to sklearn-logistic -N 200 --explain
1e-4 --from keras-l2 --to sklearn-logistic -N 200 --explain --json
1e-4 --from keras-l2 --to sklearn-logistic -N 200 --explain latex
5e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9 --explain --json
5e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9 --match decay --explain --json
5e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9 --match decay --explain latex
0.01 --from pytorch-adamw --to half-life-epochs --lr 1e-3 -B 9 -N 900 --explain --format md
0.01 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --to-lr 2e-3 --explain
0.01 --from pytorch-adam --to pytorch-adamw --lr 1e-3 --gradient-rms 0.1 --explain --json
--from sum-l2 --to batch-sum-l2 --explain
--from mean-l2 --to caffe --explain latex
0.01 --from pytorch-adam --to pytorch-adamw --lr 1e-3 --explain
0.01 --from mean-l2 --to layer-mean-l2 -a 3-4-5 --explain --json
--recipe resnet-50-goyal-8k --to keras-l2 --explain --json
""",
    ),
    # code
    (
        "convert 5e-4 --from caffe --lr 0.01 --momentum 0.9 -B 64 -N 50000 --emit",
        """
pytorch
keras
optax
timm
hf
sklearn
pytorch --json
pytorch --format md
pytorch -o out.py
pytorch --nesterov
keras --to keras-sgd
optax --to optax-sgd
optax --to optax-sgdw
pytorch --decay-mask all -a 784-30-10
pytorch --decay-mask timm -a 784-30-10
optax --decay-mask no-bias -a 784-30-10
keras --decay-mask matrices -a 784-30-10
pytorch --steps 1000 --schedule cosine:warmup=100,final=0.1
keras --steps 1000 --schedule cosine:warmup=100,final=0.1
optax --epochs 10 --schedule step:at=3/6epochs,gamma=0.1
timm --epochs 100 --schedule cosine:per=1epochs,warmup=5epochs
pytorc
pytorch --value
pytorch --explain
""",
    ),
    (
        "convert 0.1 --from pytorch-adamw --lr 1e-3 --steps 1000 --emit",
        """
pytorch
keras
optax
timm
hf
sklearn
pytorch --schedule wsd:warmup=10,decay=20%
keras --schedule linear:warmup=10
optax --schedule one-cycle
optax --schedule linear:until=50%+constant
hf --schedule linear:warmup=10%
hf --schedule polynomial:power=2
hf --decay-mask hf
hf --decay-mask hf -a 784-30-10
timm --to timm-lion
keras --to keras-lion --eps 1e-6 --json
optax --to optax-lion --to-lr 1e-4
""",
    ),
    ("convert 0.1 --from sklearn-ridge -N 100 --emit sklearn --to", "sklearn-ridge\nsklearn-sgd"),
    # bad and incomplete input
    (
        "convert",
        """
0.01 --from pytorch-adam --to pytorch-adamw --lr 1e-3
0.01 --from pytorch-adam --to pytorch-adamw --lr 1e-3 --json
1 --from l2-norm --to mean-l2
0 --from mean-l2 --to prior-std -N 9
0 --from mean-l2 --to half-life-steps --lr 1
1 --from layer-mean-l2 --to mean-l2 -a 3-4-5 --value
1 --from pytorch-sdg
1 --from pytorch-sdg --json
1 --from pytorch-adamw --to tfa-adamw
1 --from pytorch-adamw --to tfa-adamw --format=json
1 --from mean-l2 --to half-life-epochs
1 --from per-run-factor --to per-step-shrink
1 --from layer-mean-l2 --to mean-l2
1
--value
1e308 --from mean-half-l2 --to sum-half-l2 -N 1e10
1e308 --from mean-l2 --to keras-l2
0 --from sklearn-logistic --to keras-l2 -N 9
0 --from half-life-steps --to per-step-shrink
0 --from prior-std --to mean-l2 -N 9
2 --from per-step-factor --to per-step-shrink
0 --from per-step-factor --to per-step-shrink --json
30 --from pytorch-adamw --lr 0.1
10 --from pytorch-sgd --lr 10 --momentum .9
1 --recipe none-such
1 --recipe missing.json
""",
    ),
    (
        "convert --from mean-l2 --to sum-l2",
        """
1
1 --value
1 --json
1 -N 9 --dtype float31
1 -a 3-2 --decay-mask x
1 --decay-mask all
1 --init he
1 --no-bias
-1
-1e-4 --json
-- -1
nan
inf
1e400
1e999999999
1e308/1e-308
1e-400
''
abc
abc --json
1_0
1/0
1 --lr -1
1 --lr nan
1 --lr ''
1 -N 0
1 -N 9 --momentum 1
1 --grad-accum 1.5
1 --classes 1
1 -N 10 -B 20
1 -N 100 -B 10 --epochs 10 --steps 7
1 -N 100 -B 10 --epochs 10 --steps 7 --json
1 --nesterov
1 --momentum .9 --nesterov --dampening .1
1 -a 784-30a-10
1 -a 784-30a-10 --json
1 -a 784-
1 -a resnet5
1 --lrr 3
1 --qqqq
1 --lr
1 2
1 --loss foo
1 --format csv --value
1 -N 9 --width 3
1 -N 9 --to keras-l2 --value
1 -N 9 -o /no/such/place.json
1 -N 9 -o x.docx
1 -N 9 --schedule cosin --steps 9
1 -N 9 --schedule cosine:final=x --steps 9
1 -N 9 --schedule cosine
""",
    ),
    # own conventions and configuration
    (
        "convert 1e-4 --conventions own.toml",
        """
--from acme-sgd --to pytorch-sgd --value
--from acme --to acme-adamw --lr 0.1 --json
--from acme-adamw --to pytorch-adamw --explain
--from acme-sgdd --to pytorch-sgd
""",
    ),
    (
        "",
        """
convert 1e-4 --from acme-sgd --to pytorch-sgd --conventions own-bad.toml
convert 1e-4 --from acme-sgd --to pytorch-sgd --conventions own-twice.toml --json
convert 1e-4 --from acme-sgd --to pytorch-sgd --conventions broken.toml --json
convert 1e-4 --from acme-sgd --to pytorch-sgd --conventions missing.toml
convert 1e-4 --from caffe --show-config
convert 1e-4 --from caffe --show-config --json
convert 1e-4 --from caffe --show-config --format csv
cd project convert 1e-4 --from caffe --show-config
cd project convert 1e-4 --from caffe --show-config --json
cd project HOME=../home convert 1e-4 --from caffe --epochs 3 --show-config --json
cd project convert 1e-4 --from acme-sgd --to pytorch-sgd --to keras-sgd --json
cd project DECAYCALC_LR=0.3 convert 1e-4 --from acme-sgd --to keras-sgd --json
cd project schedule 1e-4 --from caffe --steps 100 --curve 3 --json
cd project check pyproject.toml
cd misspelt convert 1e-4 --from caffe --to keras-l2
cd unknown convert 1e-4 --from caffe --to keras-l2 --json
cd notoml convert 1e-4 --from caffe --to keras-l2
DECAYCALC_LR=0.3 DECAYCALC_FORMAT=json convert 1e-4 --from caffe --to keras-sgd
DECAYCALC_LRR=0.3 convert 1e-4 --from caffe --to keras-l2 --value
DECAYCALC_LR=fast convert 1e-4 --from caffe --to keras-sgd
HOME=home convert 1e-4 --from caffe --show-config --json
HOME=home convert 1e-4 --from caffe --to keras-sgd --value
""",
    ),
    # rows
    (
        "convert",
        """
--input rows.csv --from pytorch-adamw --to tfa-adamw
--input rows.csv --from pytorch-adamw --to tfa-adamw --on-error stop
--input rows.csv --from pytorch-adamw --to tfa-adamw -o out.csv -q
--input rows.csv --from pytorch-sgd --to keras-sgd --momentum 0.9 --match decay
--input rows.jsonl
--input rows.jsonl --on-error stop
--input rows.jsonl --lr 0.1 -B 10 -N 1000 --epochs 3 -o out.jsonl
--input rows --from pytorch-adamw --to tfa-adamw
--input rows --input-format jsonl --from pytorch-adamw
--input - --from pytorch-adamw --to tfa-adamw < rows.csv
--input - --format jsonl < rows.jsonl
--input empty.csv --from caffe --to keras-l2
--input headless.csv --from caffe --to keras-l2
--input missing.csv --from caffe --to keras-l2
--input rows.csv --from pytorch-adamw --to tfa-adamw --format table
--input rows.csv --from pytorch-adamw --to tfa-adamw --value
--input rows.csv --from pytorch-adamw --to tfa-adamw --explain
--input rows.csv --from pytorch-adamw --to tfa-adamw --emit pytorch
--input rows.csv --from acme-sgd --to keras-l2 --conventions own.toml
""",
    ),
    (
        "convert --lr 0.1 -B 100 -N 50000 --epochs 30 --input",
        "\n".join(EVERY),
    ),
    # schedules
    (
        "schedule 0.1 --from pytorch-adamw --lr 6e-4 --steps 60000 --curve 6 --json --schedule",
        """
constant
constant:value=0.5,warmup=2000
linear
linear:warmup=10%,final=0.1
cosine
cosine:warmup=2000,final=0.1
cosine:length=30000,after=mirror
cosine:length=30000,exponent=2,floor=0.1
cosine-restarts:cycles=3,gamma=0.5
cosine-restarts:period=1000,growth=2
step:at=20000/40000,gamma=0.1
step:every=7000,gamma=0.5,warmup=100
exponential:gamma=0.9999
exponential:gamma=0.9,every=500
polynomial:power=2,final=0.01
polynomial:power=0.5
inverse:gamma=1e-4,power=0.75
inverse-sqrt:warmup=4000
inverse-sqrt:timescale=100
wsd:warmup=1000,decay=20%
wsd:shape=1-sqrt,decay=5000
wsd:shape=cosine
one-cycle
one-cycle:follow=optax,shape=linear
one-cycle:phases=3,rise=0.4
file:curve.csv
file:curve.csv,interpolate=hold
linear:until=50%+constant
constant:warmup=100,ramp=one,start=0.1,until=10000+cosine
constant:warmup=1000,warmup_power=4,ramp=inner
cosin
cosine:warmpu=3
cosine:final=1/0
file:missing.csv
file:broken.csv
""",
    ),
    (
        "schedule",
        """
0.1 --from pytorch-adamw --lr 6e-4 --steps 600000 --schedule cosine:warmup=2000,final=0.1
0.1 --from pytorch-adamw --lr 6e-4 --steps 600000 --schedule cosine:warmup=2000 --curve 4 --json
0.1 --from tfa-adamw --lr 6e-4 --steps 100 --schedule cosine --json --curve 3
5e-5 --from tfa-adamw --lr 6e-4 --steps 10000 --schedule cosine --json --curve 3
5e-4 --from caffe --lr 0.01 --momentum 0.9 --steps 45000 --schedule step:every=10000 --json
5e-4 --from caffe --lr 0.01 --momentum 0.9 --steps 45000 --curve 5
5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --nesterov --steps 7000 --schedule cosine \
        --curve 3 --json
5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --dampening 0.5 --steps 700 --curve 3 --json
5e-4 --from pytorch-sgd --lr 1 --momentum 0.99 --steps 9000 --schedule linear --curve 3 --json
5e-4 --from keras-sgd --lr 0.1 --momentum 0.9 --steps 9000 --schedule linear --curve 3 --json
5e-4 --from keras-l2 --lr 0.1 -B 128 -N 50000 --epochs 30 --schedule step:at=10/20epochs --json \
        --curve 3
0.5 --from pytorch-adamw --lr 1 --steps 20 --schedule linear --json
2 --from pytorch-adamw --lr 1e-3 --steps 100 --dtype bfloat16 --curve 3
0.1 --from pytorch-adamw --lr 6e-4 --steps 1 --json
0 --from pytorch-adamw --lr 6e-4 --steps 100 --curve 2 --json
1e-300 --from pytorch-adamw --lr 6e-4 --steps 100 --curve 2 --json
1e-3 --from sgdw-paper --lr 0.1 --momentum 0.9 --steps 500 --schedule cosine --curve 3 --json
0.1 --from pytorch-adamw --lr 6e-4 --steps 600 --schedule cosine --curve 5 --format csv
0.1 --from pytorch-adamw --lr 6e-4 --steps 600 --schedule cosine --curve 5 --format jsonl
0.1 --from pytorch-adamw --lr 6e-4 --steps 600 --schedule cosine --curve 5 --format md
0.1 --from pytorch-adamw --lr 6e-4 --steps 600 --schedule cosine --curve 5 -o out.csv
0.1 --from acme-adamw --conventions own.toml --lr 6e-4 --steps 60 --curve 2 --json
--list
--list --json
--list --format csv
--from pytorch-adamw
0.1
0.1 --from pytorch-adamw --lr 6e-4
0.1 --from pytorch-adamw --steps 10
0.1 --from pytorch-adam --lr 1e-3 --steps 10
0.1 --from pytorch-adam --lr 1e-3 --steps 10 --json
0.1 --from pytorch-adamw --lr 6e-4 --steps 10.5
0.1 --from pytorch-adamw --lr 6e-4 --steps 10 --curve 0
30 --from pytorch-adamw --lr 1 --steps 10
8.99e307 --from mean-l2 --lr 0.1 --steps 1
""",
    ),
    # networks
    (
        "arch",
        """
784-300-100-10
784-300-100-10 --json
784-300-100-10 1e-4 --from pytorch-sgd --lr 0.1 --json
784-300-100-10 1e-4 --from pytorch-sgd --lr 0.1
784-300-100-10 --no-bias --format csv
784-300-100-10 --format md
784-300-100-10 --format jsonl
784-300-100-10 --decay-mask all --init torch --json
784-300-100-10 --init normal:0.02 --format csv
784-300-100-10 --groups json
25.6e6 --json
7b
resnet50 --depth 1
resnet50 --depth 0 --json
resnet18 --json
resnet18 --decay-only ^fc --depth 1
resnet18 --no-decay ^layer --no-decay ^fc --depth 0 --format csv
resnet18 --group ^fc:wd*0.5 --classes 10 --depth 0
gpt2 0.1 --from pytorch-adamw --lr 6e-4 --depth 0
gpt2 --decay-mask no-embedding --depth 2
vit-tiny 0.05 --from pytorch-adamw --lr 1e-3 --layer-decay 0.75 --init lecun --depth 0
llama-2-7b --depth 0
mobilenet-v2 --depth 0
efficientnet-b0 --depth 0 --json
bert-base --decay-mask hf --depth 1
config.json --depth 1
config.json --format csv
shapes.json
shapes.json --decay-mask olmo --json
shapes.csv --json
- --depth 0 < shapes.json
model.safetensors --measure
model.safetensors 1e-4 --from keras-l2 --lr 0.1 --measure --json
model.safetensors --groups json
resnet5
resnet5 --json
784-30a-10
0-1
missing.safetensors
broken.safetensors
broken.csv
784-10 --decay-mask x
784-10 --decay-only (
784-10 --group fc
784-10 --init hee
784-10 --classes 1
784-10 --measure
784-10 1e-4
784-10 1e-4 --from l2-norm
""",
    ),
    # other runs
    (
        "transfer 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90",
        """
--to-batch-size 8192
--to-batch-size 8192 --json
--to-batch-size 8192 --format csv
--to-batch-size 8192 --format md
--to-batch-size 8192 --lr-rule linear --hold epoch --value
--to-batch-size 8192 --lr-rule linear --hold epoch --explain
--to-batch-size 8192 --lr-rule linear --hold epoch --explain latex
--to-batch-size 8192 --lr-rule sqrt --hold step --hold run --json
--to-batch-size 8192 --lr-rule linear --hold epoch --emit pytorch
--to-batch-size 8192 --value
--to-epochs 30 --json
--to-steps 10000 --hold run --json
--to-lr 0.5 --json
--to-momentum 0.95 --json
--to keras-sgd --to-batch-size 512 --lr-rule linear --json
--to-width-ratio 0
--to-batch-size -1
--to-epochs nan
--lr-rule cubic
--parameters x
""",
    ),
    (
        "transfer 0.1 --from pytorch-adamw --lr 6e-4 -B 500000 -N 1e10 --epochs 1 --betas 0.9 0.95",
        """
--to-batch-size 2000000 --eps 1e-8
--to-batch-size 2000000 --lr-rule sqrt --json
--to-batch-size 2000000 --parameters 1e9 --json
--to-dataset-size 2e10 --parameters 1e8 --to-parameters 2e8
--to-width-ratio 2 --lr-rule muP --hold step --json
--to-width-ratio 2
--to-batch-size 2000000 --lr-rule sqrt --hold epoch --emit pytorch --schedule cosine:warmup=10
--to-batch-size 2000000 --lr-rule none --hold epoch --emit optax --json
--to big-vision --to-batch-size 1000000 --json
--hold normalized --to-dataset-size 4e10 --json
""",
    ),
    (
        "transfer",
        """
--recipe resnet-50-goyal-256 --to-batch-size 8192 --lr-rule linear --hold epoch
--recipe gpt-2-124m-nanogpt --to-dataset-size 1e10 --to-epochs 1 --json
--recipe solver.prototxt --to-batch-size 1024 --json
--recipe chinchilla-70b --to-lr 1
0.1 --to-lr 1
0.1 --from pytorch-adamw --lr 1 --to-batch-size 8
0.1 --from pytorch-adam --lr 1e-3 -B 8 --to-batch-size 16
0.1 --from pytorch-adamw --lr 1e-3
1e-4 --from acme-sgd --conventions own.toml --lr 0.1 -B 8 --to-batch-size 16 --json
""",
    ),
    # recipes
    (
        "recipes",
        """

--format csv
--json
--near 2
--near 2 --json
--near 0
--search darknet
--search darknet --json
--search zzz
resnet-50-he
resnet-50-he --json
resnet-50-goyal-8k --format md
alexnet-2012 --json
airbench94 --json
gpt-3-175b
deepseek-v3 --json
bert-base --json
yolov3-darknet --json
nanochat-d12 --json
vit-s-16-big-vision --json
solver.prototxt
solver.prototxt --json
alone.prototxt --json
yolo.cfg --json
training_args.json --json
train_gpt2.py --json
args.yaml --json
args.yaml --emit timm
solver.prototxt --emit pytorch
resnet-50-goyal-256 --emit pytorch
resnet-50-goyal-256 --emit keras
gpt-2-124m-nanogpt --emit optax --decay-mask all
training_args.json --emit hf
resnet-50-hee
resnet-50-hee --json
missing.json
broken.prototxt
broken.cfg --json
no_args.json
shapes.csv
""",
    ),
    (
        "convert --to mean-half-l2 --to per-step-shrink --to pytorch-adamw --recipe",
        """
resnet-50-goyal-8k
resnet-50-goyal-8k --json
resnet-50-goyal-8k --lr 0.1 --json
gpt-2-124m-nanogpt --json
llama-1-7b --json
celerity-271m --json
yolov5s --json
adamw-paper-cifar10 --json
airbench94 --json
bert-base --json
solver.prototxt --json
train_gpt2.py --json
args.yaml --json
""",
    ),
    # checks
    (
        "check",
        """
decay.toml
decay.toml --json
decay.toml --format jsonl
decay.toml --format csv
decay.toml --format md
decay.toml --format junit
decay.toml -q
decay.toml -o report.xml --format junit
failing.toml
failing.toml --json
failing.toml --format github
bad.toml
bad.toml --json
bad.toml --format github
bad.toml --format junit
- < failing.toml
broken.toml
broken.toml --json
nothing.toml
missing.toml
""",
    ),
    # proofs: on another machine the last digits of a training's differences may be others
    (
        "verify",
        """
5e-4 --from caffe --to keras-l2 --lr 0.1 --momentum 0.9
5e-4 --from caffe --to keras-l2 --lr 0.1 --momentum 0.9 --json
5e-4 --from caffe --to keras-l2 --lr 0.1 --momentum 0.9 --format md --steps 50
5e-4 --from caffe --to keras-l2 --lr 0.1 --momentum 0.9 --format csv --model least-squares
5e-4 --from caffe --to keras-l2 --lr 0.1 --schedule cosine:warmup=10% --steps 100 --json
1e-3 --from mean-l2 --to pytorch-sgd --to-value 1e-3 --json
1e-3 --from mean-l2 --to pytorch-sgd --to-value 1e-3
0.1 --from pytorch-adamw --to composer-adamw --lr 6e-4 --json
0.1 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --steps 30 --json
0.1 --from pytorch-adamw --to keras-lion --lr 1e-3 --to-lr 1e-4 --json
5e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9 --json
5e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9 --match decay --json
0.01 --from keras-l2 --to sklearn-logistic -N 200 --json
1e-3 --from acme-sgd --to pytorch-sgd --conventions own.toml --lr 0.1 --json
1e-3 --from acme-sgd --to pytorch-sgd --conventions own-false.toml --lr 0.1 --json
1e-3 --from timm-lamb --to pytorch-adamw --lr 0.1
0.01 --from pytorch-adam --to pytorch-adamw --lr 1e-3
0.1 --from pytorch-adamw --to tfa-adamw
0.1 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --model softmx
0.1 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --with tourch
0.1 --from pytorch-adamw
0.1
""",
    ),
    # what there is
    (
        "conventions",
        """

--json
--format csv
pytorch-adamw
pytorch-adamw --json
pytorch-adamw --format md
adamw --format csv
torch-adamw --format jsonl
keras-sgd-decay --json
caffe --json
yolov5 --json
l2-norm
gal-dropout --json
--search lamb
--search lamb --format jsonl
--search zzz
--framework keras --format csv
--framework kears
--invariant none --framework optax
--invariant shrink --framework mlx --json
--conventions own.toml --search acme
acme-sgd --conventions own.toml --json
pytorch-admw
pytorch-admw --json
""",
    ),
    (
        "schema",
        """

convert
conventions
schedule
arch
transfer
recipes
verify
check
config
version
error
bad-row
row
row-of-conversions
convrt
""",
    ),
    (
        "guide",
        """

founding-question
weight-decay-by-framework
sum-and-mean
full-batch-and-minibatch
momentum
adam-and-adamw
schedules-and-timescales
which-tensors
choosing-a-value
porting-a-paper
momentun
""",
    ),
    ("completion", "\n\nbash\nzsh\nfish\ntcsh"),
    (
        "",
        """
convert --help
conventions --help
schedule --help
arch --help
transfer --help
recipes --help
check --help
verify --help
guide --help
completion --help
""",
    ),
]

_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_PACKAGES = ("python", "click", "numpy", "rich")  # whose versions are no answer of ours


@dataclass(frozen=True)
class Difference:
    """One place where an answer is another: its line, its kind, and what is printed of it."""

    line: str
    kind: str
    text: str


def command_lines() -> list[list[str]]:
    """Return the words of each line, in order."""
    found = []
    for before, block in LINES:
        lines = block.replace("\\\n", " ").removeprefix("\n").removesuffix("\n").split("\n")
        found += [shlex.split(f"{before} {line}") for line in lines]
    assert len({shlex.join(words) for words in found}) == len(found), "a line stands twice"
    return found


def answer(words: list[str]) -> dict[str, Any]:
    """Run a command line, and return its record."""
    with TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        for name, content in FILES.items():
            if name in EVERY and name not in words:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        status, out, err = _run(words, root)
        record = {"argv": words, "status": status}
        record |= {"stdout": _kept(out, root), "stderr": _kept(err, root)}
        written = sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and path.relative_to(root).as_posix() not in FILES
        )
        if written:
            record["written"] = {name: _kept((root / name).read_text(), root) for name in written}
        return record


def _run(words: list[str], root: Path) -> tuple[int | str, str, str]:
    """Run a line in a folder and return its status (what it raised, if anything), out and err."""
    rest, given, folder, stdin = list(words), {}, root, b""
    if rest[:1] == ["cd"]:
        folder, rest = root / rest[1], rest[2:]
    while rest and re.match(r"[A-Z_]+=", rest[0]):
        name, _, given[name] = rest.pop(0).partition("=")
    if rest[-2:-1] == ["<"]:
        stdin, rest = (root / rest[-1]).read_bytes(), rest[:-2]
    (root / "empty").mkdir()
    clean = {"COLUMNS": "80", "NO_COLOR": "1", "HOME": str(root / "empty")}
    clean |= {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in "oe")
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, clean | given, clear=True),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status: int | str = run_program(rest)
        except Exception as error:  # noqa: BLE001  (a difference, not the end of the comparison)
            status = f"raised {type(error).__name__}: {error}"
    for stream in (out, err):
        stream.flush()
    return status, *(stream.buffer.getvalue().decode() for stream in (out, err))


def _kept(text: str, root: Path) -> Any:
    """Return what is recorded of an output: its text, its documents or its hash."""
    text = text.replace(str(root), "<folder>")
    version = re.escape(decaycalc.__version__)
    text = re.sub(
        rf'(decaycalc[,@ ] ?(?:version )?|"version": ?"){version}\b', r"\1<version>", text
    )
    kept = _parsed(text)
    if len(text) <= LONG:
        return kept
    digest = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "length": len(text)}
    if isinstance(kept, str):
        return {"long": digest}
    return {"long": digest, "beginning": _beginning(kept)}


def _parsed(text: str) -> Any:
    """Return the text, or the JSON document or the lines of JSON that it is."""
    if not text.startswith(("{", "[")):
        return text
    with contextlib.suppress(ValueError):
        document = json.loads(text)
        if isinstance(document, dict) and document.get("schema") == "decaycalc.version":
            document |= dict.fromkeys(_PACKAGES, "<version>")
        return {"json": document}
    with contextlib.suppress(ValueError):
        return {"jsonl": [json.loads(line) for line in text.splitlines()]}
    return text


def _beginning(value: Any) -> Any:
    """Return a document with the first items of its lists only."""
    if isinstance(value, dict):
        return {name: _beginning(inner) for name, inner in value.items()}
    return [_beginning(inner) for inner in value[:BEGINNING]] if isinstance(value, list) else value


def compare(old: dict[str, Any], new: dict[str, Any], *, rel: float) -> Iterator[Difference]:
    """Yield the differences between two records of a line."""
    line = shlex.join(new["argv"])
    command = next((word for word in new["argv"] if word.islower() and word.isalpha()), "-")
    for path, before, after in _unequal("", old, new, rel):
        place = re.sub(r"\[\d+\]", "[]", path)
        if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
            pieces = [text.splitlines() for text in (before, after)]
            diff = [*difflib.unified_diff(*pieces, lineterm="", n=0)][2:]
            more = [f"... {len(diff) - MOST_SHOWN} more lines"] if len(diff) > MOST_SHOWN else []
            shown = "\n    ".join([path, *diff[:MOST_SHOWN], *more])
        else:
            shown = f"{path}: {_short(before)} -> {_short(after)}"
        yield Difference(line, f"{command} {place}", shown)


class _Absent:
    """What stands on the side that has no such item."""

    def __repr__(self) -> str:
        return "(absent)"


_ABSENT = _Absent()


def _unequal(path: str, old: Any, new: Any, rel: float) -> Iterator[tuple[str, Any, Any]]:
    """Yield the places below a path where two values differ: path, old and new."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            below = f"{path}.{name}" if path else name
            yield from _unequal(below, old.get(name, _ABSENT), new.get(name, _ABSENT), rel)
        if list(old) != list(new) and set(old) == set(new):
            yield f"{path} (order)", list(old), list(new)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{path} (length)", len(old), len(new)
        for index, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from _unequal(f"{path}[{index}]", before, after, rel)
    elif not _same(old, new, rel):
        yield path, old, new


def _same(old: Any, new: Any, rel: float) -> bool:
    """Return whether two leaves are the same, numbers to the last bit or to a relative `rel`."""
    if type(old) is not type(new):
        return False
    if repr(old) == repr(new):
        return True
    if rel and isinstance(old, float):
        return math.isclose(old, new, rel_tol=rel)
    if rel and isinstance(old, str) and _NUMBER.sub("#", old) == _NUMBER.sub("#", new):
        pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
        return all(math.isclose(float(a), float(b), rel_tol=rel) for a, b in pairs)
    return False


def _short(value: Any) -> str:
    text = value if isinstance(value, _Absent) else json.dumps(value, ensure_ascii=False)
    return text if len(text := str(text)) <= 100 else f"{text[:97]}..."


def read_record() -> dict[str, dict[str, Any]]:
    """Return what is recorded, by line."""
    records = map(json.loads, RECORD.read_text(encoding="utf-8").splitlines())
    return {shlex.join(record["argv"]): record for record in records}


def differences(lines: list[list[str]], *, rel: float, whole: bool) -> Iterator[Difference]:
    """Run lines and yield what is otherwise than recorded; of all lines, also which are missing."""
    recorded = read_record()
    for words in lines:
        line = shlex.join(words)
        old = recorded.pop(line, None)
        if old is None:
            yield Difference(line, "not recorded", "not recorded: --renew")
        else:
            # As it will be read: tuples are lists, keys are texts.
            yield from compare(old, json.loads(json.dumps(answer(words))), rel=rel)
    if whole:
        for line in recorded:
            yield Difference(line, "no longer run", "recorded, and no longer run: --renew")


def main() -> int:
    """Record or compare, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.commands")
    parser.add_argument("--renew", action="store_true", help="record anew")
    parser.add_argument("--summary", action="store_true", help="differences by kind")
    parser.add_argument("--rel", type=float, default=0.0, help="relative tolerance of floats")
    parser.add_argument("--only", default="", metavar="TEXT", help="lines that contain TEXT")
    options = parser.parse_args()
    started, lines = time.monotonic(), command_lines()
    if options.renew:
        records = (json.dumps(answer(words), ensure_ascii=False) for words in lines)
        RECORD.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
        print(f"{len(lines)} lines recorded in {time.monotonic() - started:.0f} s")
        return 0
    chosen = [words for words in lines if options.only in shlex.join(words)]
    found = list(differences(chosen, rel=options.rel, whole=not options.only))
    if options.summary:
        for kind, count in Counter(each.kind for each in found).most_common():
            example = next(each for each in found if each.kind == kind)
            print(f"{count:5}  {kind}\n         e.g. {example.line}\n              {example.text}")
    else:
        last = None
        for each in found:
            if each.line != last:
                print(f"\ndecaycalc {each.line}")
            print(f"  {each.text}")
            last = each.line
    differing = len({each.line for each in found})
    print(f"{differing} of {len(chosen)} lines differ, {time.monotonic() - started:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
