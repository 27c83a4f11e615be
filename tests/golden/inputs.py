"""The files that the recorded command lines read, as literals, by name."""

import json

ROWS_CSV = """\
run,value,lr
baseline,0.1,3e-4
long,0.1,1e-4
broken,abc,1e-4
negative,-1,1e-4
third,1/3,1e-4
"""

ROWS_JSONL = """\
{"id": 1, "value": 5e-4, "from": "caffe", "to": "keras-l2"}
{"id": 2, "value": "1/3", "from": "pytorch-sgd", "to": ["keras-sgd", "mean-l2"], "momentum": 0.9}
{"id": 3, "value": 0.01, "from": "pytorch-adam", "to": "pytorch-adamw", "lr": 1e-3}
{"id": 4, "value": 0.01, "from": "pytorch-adamw", "to": "half-life-epochs", "lr": 1e-3}
{"id": 5, "value": 0.01, "from": "pytorch-admw", "to": "tfa-adamw"}
{"id": 6, "value": 1e-4, "from": "mean-l2", "to": "sum-l2", "batch_size": 8, "dataset_size": 80}
{"id": 7, "from": "mean-l2", "to": "sum-l2"}
{"id": 8, "value": 0.1, "from": "pytorch-adamw", "lr": 1e-3, "steps": 100, "schedule": "cosine"}
{"id": 9, "value": 0.1, "from": "pytorch-adamw", "to": "tfa-adamw", "lr": 1e-3, "dtype": "bfloat16"}
{"id": 10, "value": 1e-3, "from": "mean-l2", "to": "layer-mean-l2", "arch": "784-30-10"}
{"id": 11, "value": 1e-3, "from": "caffe", "to": "keras-l2", "mommentum": 0.9}
[1, 2]
{"id": 12,
"""

CHECKS = """\
[caffe-and-keras]
about = "what this is for"
value = 5e-4
from = "caffe"
to = "keras-l2"
equals = 2.5e-4

["long enough"]
value = 0.1
from = "pytorch-adamw"
lr = 3e-4
batch_size = 512
dataset_size = 1281167
quantity = "timescale_epochs"
min = 1
max = 20

[survives]
value = 0.1
from = "pytorch-adamw"
lr = 1e-3
steps = 1000
schedule = "cosine:warmup=100"
quantity = "survival"
max = 0.99

[share]
value = 1e-3
from = "mean-l2"
arch = "784-300-10"
quantity = "share_of_loss"
min = 0

[recipes]
recipes = ["resnet-50-he", "he.prototxt"]
"""

FAILING_CHECKS = """\
[wrong]
value = 1e-4
from = "caffe"
to = "keras-l2"
equals = 1e-4

[outside]
value = 0.1
from = "pytorch-adamw"
lr = 0.1
quantity = "shrink"
min = 0.02

[refused]
value = 1e-4
from = "pytorch-adam"
to = "pytorch-adamw"
equals = 1

[different]
recipes = ["resnet-50-he", "gpt-3-175b"]
"""

BAD_CHECKS = """\
[unknown]
value = 1
from = "caffe"
to = "keras-l3"
equals = 1

[no-bound]
value = 1
from = "caffe"
to = "keras-l2"

[no-value]
from = "caffe"
to = "keras-l2"
equals = 1

[quantity]
value = 1e-4
from = "caffe"
quantity = "shrnk"
min = 1

[needs-more]
value = 1e-4
from = "caffe"
quantity = "shrink"
min = 1

["a: b, 100%"]
recipes = ["resnet-50-he", "resnet-50-hee"]
"""

OWN = """\
[[convention]]
key = "acme-sgd"
aliases = ["acme"]
title = "Acme's SGD(decay=)"
parameter = "decay"
strength = "2*decay/loss_scale"
update = "g = g + 2*decay*w; w = w - lr*heavy_ball(g)"
source = "acme 1.0, acme/sgd.py"

[[convention]]
key = "acme-adamw"
parameter = "wd"
shrink = "lr*wd/2"
optimizer = "adam"
update = "w = w*(1 - lr*wd/2); w = w - lr*adam(g)"
source = "acme 1.0, acme/adamw.py"
"""

SOLVER = """\
net: "train_val.prototxt"
base_lr: 0.01
lr_policy: "step"
gamma: 0.1
stepsize: 100000
max_iter: 450000
momentum: 0.9
weight_decay: 0.0005
iter_size: 2
clip_gradients: 10
"""

NETWORK = """\
name: 'AlexNet'
layer {
  name: "data" type: "Data"
  include { phase: TRAIN }
  data_param { source: "x" batch_size: 256, backend: LMDB }
}
layer {
  name: "conv1"
  param { lr_mult: 1 decay_mult: 1 }
  param { lr_mult: 2; decay_mult: 0 }
}
"""

DARKNET = """\
[net]
batch=64
subdivisions=16
momentum=0.9
decay=0.0005
learning_rate=0.001
burn_in=1000
max_batches = 500200
policy=steps
steps=400000,450000
scales=.1,.1
[convolutional]
"""

TRAINER = json.dumps(
    {
        "learning_rate": 2e-5,
        "weight_decay": 0.01,
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": 4,
        "num_train_epochs": 3.0,
        "max_steps": -1,
        "warmup_ratio": 0.1,
        "lr_scheduler_type": "linear",
        "optim": "adamw_torch_fused",
        "adam_beta1": 0.9,
    }
)

NANOGPT = """\
batch_size = 12
block_size = 1024
gradient_accumulation_steps = 5 * 8
max_iters = 600000
lr_decay_iters = max_iters
learning_rate = 6e-4
min_lr = learning_rate / 10
weight_decay = 1e-1
"""

TIMM = """\
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
sched: cosine
weight_decay: 0.05
layer_decay: 0.65
"""

SHAPES = {
    "embed.weight": [100, 16],
    "layers.0.attn.qkv.weight": [48, 16],
    "layers.0.attn.qkv.bias": [48],
    "layers.0.norm.weight": [16],
    "layers.1.attn.qkv.weight": [48, 16],
    "layers.1.attn.qkv.bias": [48],
    "layers.1.norm.weight": [16],
    "head.weight": [100, 16],
}

BERT = {
    "model_type": "bert",
    "vocab_size": 1000,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}


def _safetensors() -> bytes:
    """Return a checkpoint of two tensors, all of whose bytes are 0x3f: floats of 0.747."""
    shapes = {"fc.weight": [4, 3], "fc.bias": [4]}
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4 * (shape[0] * shape[1] if len(shape) == 2 else shape[0])
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"\x3f" * end


FILES: dict[str, str | bytes] = {
    "rows.csv": ROWS_CSV,
    "rows.jsonl": ROWS_JSONL,
    "rows": ROWS_CSV,
    "empty.csv": "",
    "headless.csv": "run,lr\na,0.1\n",
    "decay.toml": CHECKS,
    "failing.toml": FAILING_CHECKS,
    "bad.toml": BAD_CHECKS,
    "broken.toml": "[a",
    "nothing.toml": "",
    "own.toml": OWN,
    "own-bad.toml": OWN.replace("2*decay/loss_scale", "2*dcay/loss_scale", 1),
    "own-twice.toml": OWN.replace("acme-adamw", "acme-sgd"),
    "own-false.toml": OWN.replace("g + 2*decay*w", "g + 3*decay*w"),
    "solver.prototxt": SOLVER,
    "alone.prototxt": SOLVER.replace("train_val", "missing"),
    "he.prototxt": 'base_lr: 0.1\nmomentum: 0.9\nweight_decay: 0.0001\ntype: "SGD"\n',
    "broken.prototxt": "base_lr: [1, 2",
    "train_val.prototxt": NETWORK,
    "yolo.cfg": DARKNET,
    "broken.cfg": "[net]\nbatch",
    "training_args.json": TRAINER,
    "no_args.json": "{}",
    "train_gpt2.py": NANOGPT,
    "args.yaml": TIMM,
    "shapes.json": json.dumps(SHAPES),
    "shapes.csv": "name,shape\nfc1.weight,300x784\nfc1.bias,300\nfc2.weight,10x300\n",
    "config.json": json.dumps(BERT),
    "model.safetensors": _safetensors(),
    "broken.safetensors": b"\x09\0\0\0\0\0\0\0{",
    "curve.csv": "step,multiplier\n0,0\n10,1\n90,0.5\n100,0\n",
    "broken.csv": "step,multiplier\n0,x\n",
    "project/pyproject.toml": (
        "[tool.decaycalc]\nlr = 0.2\nmomentum = 0.9\n\n"
        "[tool.decaycalc.convert]\nbatch-size = 64\n\n"
        "[tool.decaycalc.check.own]\n"
        'value = 5e-4\nfrom = "caffe"\nto = "keras-l2"\nequals = 2.5e-4\n\n'
        + OWN.replace("[[convention]]", "[[tool.decaycalc.convention]]")
    ),
    "misspelt/pyproject.toml": "[tool.decaycalc]\nlrr = 0.2\n",
    "unknown/pyproject.toml": "[tool.decaycalc.convrt]\nlr = 0.2\n",
    "notoml/pyproject.toml": "[tool.decaycalc]\nlr = \n",
    "home/.config/decaycalc/config.toml": "epochs = 9\nlr = 0.3\n",
}

# Every convention of the catalogue, so that no number of it changes unseen.
CONVENTIONS = """
    mean-l2 mean-half-l2 sum-l2 sum-half-l2 batch-sum-l2 batch-sum-half-l2 per-example-half-l2
    per-batch-half-l2 mean-over-weights-l2 layer-mean-l2 l2-norm pytorch-sgd pytorch-adam
    pytorch-adamw pytorch-adam-decoupled pytorch-nadam pytorch-nadam-decoupled pytorch-radam
    pytorch-radam-decoupled pytorch-adamax pytorch-rmsprop pytorch-adagrad pytorch-adadelta
    pytorch-adafactor pytorch-asgd pytorch-muon keras-l2 keras-sgd keras-adam keras-adamw
    keras-nadam keras-adamax keras-rmsprop keras-adagrad keras-adadelta keras-lion
    keras-adafactor keras-lamb keras-muon keras-muon-adam keras-sgd-micro-step keras-ftrl
    keras-schedule-free-adamw keras-sgd-decay keras-adamw-package tf-l2-loss tf-slim-l2
    tfa-adamw tfa-sgdw tfa-lamb tfa-radam tfa-adabelief tfa-yogi tfa-proximal-adagrad
    tfa-novograd sonnet-l2 tflearn-l2 tf-contrib-adamw tf-contrib-momentumw optax-adamw
    optax-sgd optax-sgdw optax-decay-after-lr optax-decay-after-sgd optax-adam-l2 optax-l2-loss
    optax-nadamw optax-adamaxw optax-lion optax-adan optax-ademamix optax-simplified-ademamix
    optax-muon optax-muon-adam optax-galore optax-sophia optax-acprop optax-momo optax-adafactor
    optax-adadelta optax-madgrad optax-lamb optax-lars optax-novograd optax-cocob optax-dog
    optax-prodigy optax-schedule-free-adamw big-vision flax-l2 haiku-l2 trax-adam trax-momentum
    trax-adafactor t5x-adafactor flax-optim-adam flax-optim-momentum praxis-decoupled
    maxtext-adamw optax-mechanize sklearn-mlp-sgd sklearn-mlp-adam sklearn-mlp-lbfgs sklearn-sgd
    sklearn-sgd-optimal sklearn-logistic sklearn-linear-svc sklearn-svc sklearn-ridge
    sklearn-elastic-net sklearn-glm statsmodels glmnet-gaussian glmnet-binomial spark-linear
    spark-logistic liblinear libsvm vw-sgd vw-bfgs xgboost-gblinear xgboost-gbtree lightgbm
    r-nnet sklearn-huber sklearn-hist-gradient-boosting catboost surprise-svd libfm-sgd
    implicit-als spark-als spark-linear-svc hf-trainer hf-adafactor hf-adafactor-relative
    hf-adamw-legacy hf-tf-adamw bert-adamw fastai fastai-sgd fastai-sgd-l2 fastai-adam-l2
    fastai-rmsprop fastai-radam fastai-qhadam fastai-larc fastai-lamb lion-pytorch
    lion-pytorch-decoupled google-lion bitsandbytes-adam bitsandbytes-adamw bitsandbytes-lion
    bitsandbytes-lamb bitsandbytes-ademamix bitsandbytes-sgd bitsandbytes-rmsprop
    bitsandbytes-adagrad composer-adamw composer-sgdw llm-foundry-lion optimi-decoupled
    optimi-sgd-decoupled optimi-lion-decoupled optimi-adamw optimi-adam optimi-sgd optimi-lion
    optimi-stableadamw optimi-ranger optimi-adan fairseq-adam fairseq-nag fairseq-adafactor
    fairseq-adamax apex-fused-adam apex-fused-sgd apex-fused-lamb apex-fused-novograd
    deepspeed-adam megatron-adam megatron-sgd nanogpt modded-nanogpt-adam modded-nanogpt-muon
    muon-keller dion mmengine yolov5 detectron2 torchvision open-clip schedule-free prodigy
    dadaptation dadaptation-decoupled adan-pytorch colossalai-hybrid-adam torchtitan thinc-adam
    thinc-adam-l2 bitsandbytes-lars ultralytics-sgd ultralytics-adamw deepspeed-lion timm-adamw
    timm-sgd timm-sgdw timm-adam timm-adamax timm-nadam timm-radam timm-rmsprop timm-adagrad
    timm-adadelta timm-nadamw timm-radamw timm-lion timm-adafactor timm-adafactorbv
    timm-adafactorbv-unscaled timm-adafactorbv-unscaled-corrected timm-adafactorbv-corrected
    timm-corrected timm-sgdw-corrected timm-lion-corrected timm-nadamw-corrected timm-laprop
    timm-laprop-corrected timm-adanw timm-adan timm-lamb timm-lambc timm-lambw timm-lars
    timm-adamp timm-sgdp timm-adopt timm-adoptw timm-adabelief timm-mars timm-kron timm-kronw
    timm-muon timm-adamuon timm-adahessian timm-madgrad timm-madgradw timm-novograd
    timm-novogradw timm-rmsproptf timm-rmsproptfw timm-cautious-adamw timm-adamwlegacy
    timm-nadamlegacy timm-radamlegacy timm-adoptc timm-kronc timm-lambcd timm-novogradc
    timm-rmsproptfc timm-cadafactor timm-cadafactorbv timm-cadafactorbvc timm-cadamc timm-cadamp
    timm-cadan timm-cadanw timm-cadopt timm-cadoptw timm-cadoptc timm-clamb timm-clambw
    timm-claprop timm-clion timm-clionc timm-cmars timm-cnadamw timm-cnadamc timm-crmsproptf
    timm-csgdw timm-csgdc timm-csgdp pytorch-optimizer-fixed pytorch-optimizer-adabelief
    pytorch-optimizer-adabound pytorch-optimizer-adagc pytorch-optimizer-adalite
    pytorch-optimizer-adamod pytorch-optimizer-adamwsn pytorch-optimizer-adanorm
    pytorch-optimizer-adapnm pytorch-optimizer-adatam pytorch-optimizer-alice
    pytorch-optimizer-ano pytorch-optimizer-avagrad pytorch-optimizer-bcos
    pytorch-optimizer-came pytorch-optimizer-conda pytorch-optimizer-dash
    pytorch-optimizer-diffgrad pytorch-optimizer-emofact pytorch-optimizer-emolynx
    pytorch-optimizer-emonavi pytorch-optimizer-exadam pytorch-optimizer-fira
    pytorch-optimizer-flashadamw pytorch-optimizer-galore pytorch-optimizer-grams
    pytorch-optimizer-kate pytorch-optimizer-kron pytorch-optimizer-lamb
    pytorch-optimizer-laprop pytorch-optimizer-mars pytorch-optimizer-pnm pytorch-optimizer-racs
    pytorch-optimizer-scion pytorch-optimizer-sgdsai pytorch-optimizer-signsgd
    pytorch-optimizer-simplifiedademamix pytorch-optimizer-spam pytorch-optimizer-spectralsphere
    pytorch-optimizer-stableadamw pytorch-optimizer-stablespam pytorch-optimizer-tam
    pytorch-optimizer-tiger pytorch-optimizer-vsgd pytorch-optimizer-adamw
    pytorch-optimizer-lion pytorch-optimizer-sgdw pytorch-optimizer-adamp pytorch-optimizer-sgdp
    pytorch-optimizer-adan pytorch-optimizer-soap pytorch-optimizer-adamc
    pytorch-optimizer-adams pytorch-optimizer-adafactor pytorch-optimizer-ranger
    pytorch-optimizer-adopt pytorch-optimizer-adamax pytorch-optimizer-ademamix
    pytorch-optimizer-schedulefree pytorch-optimizer-decoupled pytorch-optimizer-coupled
    pytorch-optimizer-adamp-fixed pytorch-optimizer-sgdp-fixed pytorch-optimizer-adan-decoupled
    pytorch-optimizer-adamax-decoupled pytorch-optimizer-adopt-decoupled
    pytorch-optimizer-adadelta pytorch-optimizer-adasmooth pytorch-optimizer-adai
    pytorch-optimizer-adamg pytorch-optimizer-aggmo pytorch-optimizer-aida
    pytorch-optimizer-apollodqn pytorch-optimizer-dualadam pytorch-optimizer-madgrad
    pytorch-optimizer-madgrad-decoupled pytorch-optimizer-padam pytorch-optimizer-pid
    pytorch-optimizer-qhadam pytorch-optimizer-qhm pytorch-optimizer-accsgd
    pytorch-optimizer-rose pytorch-optimizer-swats pytorch-optimizer-shampoo
    pytorch-optimizer-scalableshampoo pytorch-optimizer-novograd pytorch-optimizer-lars
    pytorch-optimizer-apollo pytorch-optimizer-asgd pytorch-optimizer-focus
    pytorch-optimizer-fadam pytorch-optimizer-splus pytorch-optimizer-ranger21
    pytorch-optimizer-dadaptadam pytorch-optimizer-dadaptadan pytorch-optimizer-sara
    pytorch-optimizer-lorarite pytorch-optimizer-demo pytorch-optimizer-adalomo
    pytorch-optimizer-bsam pytorch-optimizer-prodigy pytorch-optimizer-grokfastadamw
    pytorch-optimizer-scionlight pytorch-optimizer-yogi pytorch-optimizer-radam
    pytorch-optimizer-adahessian pytorch-optimizer-sophiah pytorch-optimizer-adammini
    pytorch-optimizer-muon pytorch-optimizer-adamuon pytorch-optimizer-adago
    pytorch-optimizer-normuon pytorch-optimizer-muonclip torch-optimizer-sgdw
    torch-optimizer-adamod torch-optimizer-radam torch-optimizer-adamp torch-optimizer-sgdp
    torch-optimizer-adafactor torch-optimizer-yogi torch-optimizer-qhm torch-optimizer-qhadam
    torch-optimizer-adabelief torch-optimizer-diffgrad torch-optimizer-adabound
    torch-optimizer-aggmo torch-optimizer-lamb torch-optimizer-lars torch-optimizer-novograd
    torch-optimizer-accsgd torch-optimizer-apollo torch-optimizer-madgrad torch-optimizer-pid
    torch-optimizer-rangerqh torch-optimizer-swats torch-optimizer-shampoo
    torch-optimizer-adahessian heavyball-adamw heavyball-sgd heavyball-laprop heavyball-ademamix
    heavyball-rmsprop heavyball-muon heavyball-unscaled-adamw heavyball-muon-adamw
    heavyball-signlaprop heavyball-adopt heavyball-adamc heavyball-nadam
    heavyball-nadam-decoupled heavyball-laprop-ortho heavyball-ortho-laprop
    heavyball-muon-laprop heavyball-msam-laprop heavyball-suds-adamw heavyball-soap
    heavyball-soap-nadam heavyball-soap-ademamix heavyball-solp heavyball-kl-soap
    heavyball-kl-shampoo heavyball-psgd-kron heavyball-psgd-lra heavyball-psgd-pro
    heavyball-qsgd heavyball-lather heavyball-schedule-free-adamw heavyball-hyperball-adamw
    paddle-sgd paddle-momentum paddle-l2decay paddle-adam paddle-adamax paddle-adagrad
    paddle-adadelta paddle-rmsprop paddle-nadam paddle-radam paddle-adamw paddle-lamb
    paddle-asgd mxnet-sgd mxnet-nag mxnet-dcasgd mxnet-adam mxnet-rmsprop mxnet-adamax
    mxnet-nadam mxnet-ftml mxnet-signum mxnet-signum-wd-lh mxnet-adagrad mxnet-adadelta
    mxnet-lamb mxnet-ftrl mxnet-adamw chainer-weight-decay chainer-adamw chainer-adabound
    chainer-amsgrad chainer-msvag mxnet-lars mlx-sgd mlx-adamw mlx-lion mlx-adafactor mlx-muon
    tinygrad-sgd tinygrad-adamw tinygrad-muon tinygrad-lamb tinygrad-lars flux-weight-decay
    flux-adamw-coupled flux-adamw-uncoupled dl4j-weight-decay dl4j-weight-decay-no-lr dl4j-l2
    paddle-lars-momentum burn-sgd burn-adam burn-adamw burn-muon candle-adamw dfdx-sgd-l2
    dfdx-sgd-decoupled dfdx-adam-l2 dfdx-adam-decoupled tch-sgd tch-adam tch-adamw
    torchsharp-sgd torchsharp-adam torchsharp-adamw r-torch-sgd r-torch-adam r-torch-adamw
    tfjs-l2 jittor-sgd jittor-adam jittor-adamw jittor-adan oneflow-sgd oneflow-adam
    oneflow-adamw mindspore-sgd mindspore-adam mindspore-adamw marian-adam caffe caffe-adam
    darknet cuda-convnet matconvnet torch7-sgd theano-l2 lasagne-l2 convnetjs matlab-l2
    dynet-weight-decay neon-sgd pylearn2-weight-decay kaldi-nnet3 h2o-deeplearning adamw-paper
    sgdw-paper adamw-normalized ema-timescale-steps ema-timescale-epochs ema-timescale-run
    intrinsic-lr half-life-steps half-life-epochs per-step-factor per-step-shrink
    per-epoch-factor per-run-factor prior-precision prior-std gal-dropout

"""
PER_FILE = 20  # conventions whose rows stand in one file


def _every() -> dict[str, str]:
    """Return files of rows that convert each convention to two others, and from one."""
    keys = CONVENTIONS.split()
    files = {}
    for start in range(0, len(keys), PER_FILE):
        rows = []
        for key in keys[start : start + PER_FILE]:
            pairs = ((key, "mean-half-l2"), (key, "per-step-shrink"), ("per-step-shrink", key))
            rows += [json.dumps({"value": 0.01, "from": a, "to": b}) for a, b in pairs]
        files[f"every-{start // PER_FILE + 1:02}.jsonl"] = "\n".join([*rows, ""])
    return files


EVERY = _every()
FILES |= EVERY
