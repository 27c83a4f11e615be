"""What measure.py measures of training scripts and C++: the parts that step, taken out of a file.

DECAYCALC_SOURCES is a folder of checkouts, as for measure_sources.py.
"""

import __future__

import ast
import os
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from measure_frameworks import walked
from measure_sources import followed
from measure_stacks import built

LR, VALUE = 0.0173, 0.037
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32")
TYPES_AS_TEXT = __future__.annotations.compiler_flag
BATCH = 96  # half as much again as what Ultralytics' numbers are meant for


def text_of(checkout, path):
    """Return a file of a checkout, or of a package that is installed, unimported."""
    if "/" in checkout:
        return (Path(os.environ["DECAYCALC_SOURCES"]) / checkout / path).read_text()
    return (Path(find_spec(checkout).origin).parent / path).read_text()


def parts(checkout, path, *names, numbers=None, **given):
    """Return the definitions of these names in a file, executed with what is given around them.

    A number that stands in a script is ours where `numbers` says so.
    """
    found = []
    for node in ast.walk(ast.parse(text_of(checkout, path))):
        targets = [each.id for each in getattr(node, "targets", ()) if isinstance(each, ast.Name)]
        if getattr(node, "name", None) in names or set(targets) & set(names):
            found.append(node)
    for each in (each for node in found for each in ast.walk(node)):
        if isinstance(each, ast.Constant) and each.value in (numbers or {}):
            each.value = numbers[each.value]
    code = ast.Module(sorted(found, key=lambda node: node.lineno), type_ignores=[])
    space = {"__name__": "parts", **given}
    exec(compile(code, path, "exec", TYPES_AS_TEXT, dont_inherit=True), space)  # noqa: S102 - the author's own
    return SimpleNamespace(**space)


def modded_nanogpt(kind, dtype="float32", **fixed):
    """Return the builder of one kind of parameter of modded-nanogpt's optimizer.

    Its kernels for a GPU are the products that they compute, and 32 bits have a sign, which the
    CPU shifts; a weight in bfloat16 keeps the rest of its bits beside it.
    """

    def build(weights, value):
        import torch
        from torch import Tensor, nn

        signed = SimpleNamespace(**{**vars(torch), "uint32": torch.int32})
        names = ("NorMuonAndAdam", "ParamConfig", "polar_express", "polar_express_coeffs")
        found = parts(
            "KellerJordan/modded-nanogpt", "train_gpt.py", *names,
            torch=signed, nn=nn, Tensor=Tensor, dist=torch.distributed, dataclass=dataclass,
            XXT=lambda x, out: out.copy_(x @ x.mT), XTX=lambda x, out: out.copy_(x.mT @ x),
            ba_plus_cAA=lambda a, alpha, beta, out: out.copy_(beta * a + alpha * a @ a),
            _sparse_comms_active=lambda: False,
        )  # fmt: skip
        whole, bits = weights[0], weights[0].data.view(torch.int32)
        weight = nn.Parameter((bits & -0x10000).view(torch.float32).to(getattr(torch, dtype)))
        if dtype == "float32":
            weight = whole
        weight.label, weight.reshape = "w", (1, *whole.shape)
        entry = {"optim": kind, "comms": "replicated", "adam_betas": (0.9, 0.999)}
        defaults = {"lr": LR, "weight_decay": value, **fixed}
        made = found.NorMuonAndAdam(
            [("w", weight)], {"w": entry}, ["w"], ["w"],
            adam_defaults=defaults, normuon_defaults=defaults,
        )  # fmt: skip
        settings, state = made.param_cfgs[weight], made.param_states[weight]

        @torch.no_grad()
        def step():
            if kind == "adam":
                made._adam_update(weight, whole.grad, settings, 0)
                return
            made._normuon_update(weight, whole.grad[None].clone(), settings, 0)
            high = weight.data.view(torch.int16).to(torch.int32) << 16
            bits.copy_(high | (state["mantissa"][0].to(torch.int32) & 0xFFFF))

        if kind == "normuon":
            state["mantissa"].copy_((bits & 0xFFFF).to(torch.uint16)[None])
        return SimpleNamespace(step=step)

    return followed(build, shape=(3, 4))


def yolov5(model, value):
    """Return what YOLOv5's script builds, its number scaled by the script's own lines."""
    import torch
    from torch import nn

    script = text_of("ultralytics/yolov5", "train.py")
    begin = script.index("    nbs = 64")
    lines = script[begin : script.index("optimizer = smart_optimizer(", begin)]
    space = {"hyp": {"weight_decay": value}, "batch_size": BATCH}
    exec("if True:\n" + lines, space)  # noqa: S102 - the script's
    model.bias = nn.Parameter(torch.zeros(1))  # a group of none is refused
    make = parts(
        "ultralytics/yolov5", "utils/torch_utils.py", "smart_optimizer",
        torch=torch, nn=nn, LOGGER=QUIET, colorstr=str,
    ).smart_optimizer  # fmt: skip
    return make(model, "SGD", LR, 0.9, space["hyp"]["weight_decay"])


QUIET = SimpleNamespace(info=lambda _: None)


def ultralytics(name):
    """Return the builder of what Ultralytics' trainer makes of a name."""

    def build(model, value):
        from functools import partial

        from torch import nn, optim

        script = text_of("ultralytics", "engine/trainer.py")
        begin = script.index("self.args.weight_decay * ")
        trainer = SimpleNamespace(
            args=SimpleNamespace(weight_decay=value, nbs=64),
            batch_size=BATCH,
            accumulate=1,
        )
        decay = eval(script[begin : script.index("#", begin)], {"self": trainer})  # noqa: S307
        make = parts(
            "ultralytics", "engine/trainer.py", "build_optimizer",
            nn=nn, optim=optim, LOGGER=QUIET, colorstr=str, unwrap_model=lambda found: found,
            partial=partial, MuSGD=None, TORCH_2_0=True,
        ).build_optimizer  # fmt: skip
        return make(trainer, model, name, LR, 0.9, decay)

    return build


def flax_loss(value, data_loss):
    """Return the loss of Flax's ImageNet example over its own data loss."""
    import jax
    import jax.numpy as jnp

    state = SimpleNamespace(apply_fn=lambda kept, *_, **__: (kept["params"], {}), batch_stats={})
    found = parts(
        "google/flax", "examples/imagenet/train.py", "loss_fn", numbers={0.0001: value},
        jax=jax, jnp=jnp, state=state, batch={"image": None, "label": None},
        cross_entropy_loss=lambda params, _: data_loss(params["w"]),
    )  # fmt: skip
    return lambda params: found.loss_fn(params)[0]


def haiku_loss(value, data_loss):
    """Return the loss of Haiku's MNIST example over its own data loss."""
    import jax
    import jax.numpy as jnp

    functions = SimpleNamespace(one_hot=lambda *_: 1.0, log_softmax=lambda w: -data_loss(w))
    found = parts(
        "google-deepmind/dm-haiku", "examples/mnist.py", "loss", numbers={1e-4: value},
        hk=SimpleNamespace(Params=dict), Batch=object, NUM_CLASSES=1, jnp=jnp,
        network=SimpleNamespace(apply=lambda params, _: params["w"]),
        jax=SimpleNamespace(Array=jax.Array, tree=jax.tree, nn=functions),
    )  # fmt: skip
    batch = SimpleNamespace(image=np.zeros(1), label=None)
    return lambda params: found.loss(params, batch)


def in_a_loss(build):
    """Return the measurement of a penalty in a script's loss, stepped by plain SGD."""

    def measure(gradients=None, value=VALUE):
        import jax
        import jax.numpy as jnp

        params = {"w": jnp.asarray(START)}

        def step(gradient):
            slope = jax.grad(build(value, lambda w: (w * gradient).sum()))(params)
            params["w"] = params["w"] - LR * slope["w"]

        return walked(step, lambda: np.asarray(params["w"]).astype(float))(gradients)

    return measure


def paddle_lars(gradients=None, value=VALUE):
    """Return the weights after each step of Paddle's LARS, in the static graph that it needs."""
    import paddle
    from paddle import static
    from paddle.incubate.optimizer import LarsMomentumOptimizer

    paddle.enable_static()
    program, start = static.Program(), static.Program()
    with static.program_guard(program, start):
        gradient = static.data("gradient", START.shape, "float32")
        given = paddle.nn.initializer.Assign(START)
        weight = paddle.create_parameter(START.shape, "float32", default_initializer=given)
        optimizer = LarsMomentumOptimizer(LR, momentum=0.9, lars_weight_decay=value)
        optimizer.minimize(paddle.sum(weight * gradient))
    executor, now = static.Executor(paddle.CPUPlace()), START.copy()
    executor.run(start)

    def step(found):
        now[:] = executor.run(program, feed={"gradient": found}, fetch_list=[weight])[0]

    return walked(step, lambda: now.astype(float))(gradients)


paddle_lars.names = {"momentum": 0.9}


def dynet(gradients=None, value=VALUE):
    """Return the weights after each step of DyNet's plain SGD; a common scale decays them."""
    import dynet_config

    dynet_config.set()
    import dynet

    model = dynet.ParameterCollection()
    model.set_weight_decay_lambda(value)
    weight, trainer = model.parameters_from_numpy(START), dynet.SimpleSGDTrainer(model, LR)

    def step(gradient):
        dynet.renew_cg()
        loss = dynet.sum_elems(dynet.cmult(weight, dynet.inputTensor(gradient)))
        loss.forward()
        loss.backward()
        trainer.update()

    def read():
        dynet.renew_cg()
        return dynet.parameter(weight).npvalue().astype(float)

    return walked(step, read)(gradients)


def surprise_svd(gradients=None, value=VALUE):
    """Return the users' factors after each epoch of Surprise's SVD.

    Each of twelve users rates an item of his own, whose factor stays 1, such that the error is
    the gradient that is asked for.
    """
    from surprise import SVD, Dataset, Reader

    weight = START.astype(float).copy()

    class Given(np.random.RandomState):
        def normal(self, *_, **__):
            self.calls = getattr(self, "calls", 0) + 1
            return weight.reshape(-1, 1).copy() if self.calls == 1 else np.ones((weight.size, 1))

    def step(gradient):
        import pandas as pd

        ratings = weight - gradient
        rows = [(str(place), str(place), rating) for place, rating in enumerate(ratings.ravel())]
        frame = pd.DataFrame(rows, columns=["user", "item", "rating"])
        data = Dataset.load_from_df(frame, Reader(rating_scale=(-9, 9))).build_full_trainset()
        model = SVD(
            n_factors=1, n_epochs=1, biased=False, lr_all=LR, reg_all=value, lr_qi=0.0,
            random_state=Given(0),
        )  # fmt: skip
        weight[:] = model.fit(data).pu.reshape(weight.shape)

    return walked(step, weight.copy)(gradients)


HARNESS = """
int main(int count, char **words) {
    double lr = atof(words[1]), value = atof(words[2]); float w[12], g[12]; BEFORE
    for (int i = 0; i < 12; i++) if (scanf("%f", &w[i]) != 1) return 1;
    for (int t = 1; t <= 3; t++) {
        for (int i = 0; i < 12; i++) if (scanf("%f", &g[i]) != 1) return 1;
        STEP
        for (int i = 0; i < 12; i++) printf("%.9g ", w[i]);
    }
}
"""
LLM_C = {
    "before": "float m[12] = {0}, v[12] = {0};",
    "step": """for (blockIdx.x = 0; blockIdx.x < 12; blockIdx.x++)
        adamw_update(w, (float *) NULL, g, m, v, 12, lr, 0.9, 0.999, 1 - powf(0.9f, t),
                     1 - powf(0.999f, t), 1e-8f, value, 1, 0);""",
}
LIBFM = {
    "before": """fm_model fm; fm.num_attribute = 12; fm.num_factor = 0; fm.init();
        fm.k0 = false; fm.regw = value; DVector<double> sum;
        sparse_entry<DATA_FLOAT> entries[12]; sparse_row<DATA_FLOAT> row = {entries, 12};""",
    "step": """for (int i = 0; i < 12; i++) {
            if (t == 1) fm.w(i) = w[i];
            entries[i].id = i; entries[i].value = g[i];
        }
        fm_SGD(&fm, lr, row, 1.0, sum);
        for (int i = 0; i < 12; i++) w[i] = fm.w(i);""",
}
HEADERS = "\n".join(
    f"#include <{name}>" for name in ("cmath", "cstdio", "cstdlib", "cstring", "ctime")
)


def llm_c_kernel():
    """Return llm.c's kernel for AdamW as a function of one weight."""
    text = text_of("karpathy/llm.c", "llmc/adamw.cuh")
    begin, end = (
        text.index("__device__ float lerp"),
        text.index("template <typename Tp, typename Tg>\n__global__"),
    )
    around = """
    #define __device__
    struct { unsigned x; } blockIdx = {0}, threadIdx = {0}, blockDim = {1};
    void stochastic_rounding(float in, float *out, unsigned) { *out = in; }
    #define lerp lerp_of
    """
    return around + text[begin:end]


def libfm_step():
    """Return what includes libFM's step."""
    text = text_of("srendle/libfm", "src/libfm/src/Data.h")
    named = next(
        line for line in text.splitlines() if line.startswith("typedef") and "DATA_FLOAT" in line
    )
    return f'#include "fm_core/fm_data.h"\n{named}\n#include "fm_core/fm_sgd.h"\n'


def compiled(make, before, step):
    """Return the measurement of a step in C++, its gradients given at once."""

    def measure(gradients=None, value=VALUE):
        code = (
            f"{HEADERS}\nusing namespace std;\n"
            + make()
            + HARNESS.replace("BEFORE", before).replace("STEP", step)
        )
        given = [0 * START if gradients is None else gradients(t, START) for t in range(3)]
        words = " ".join(repr(float(each)) for each in np.ravel([START, *given]))
        sources = Path(os.environ["DECAYCALC_SOURCES"])
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "step.cpp").write_text(code)
            command = ["g++", "-std=c++14", "-w", "-fpermissive", "step.cpp", "-o", "step"]
            command += [f"-I{sources / 'srendle/libfm/src'}"]
            subprocess.run(command, check=True, cwd=folder)
            found = subprocess.run(
                ["./step", repr(LR), repr(value)],
                input=words, capture_output=True, check=True, text=True, cwd=folder,
            )  # fmt: skip
        return np.reshape([float(each) for each in found.stdout.split()], (3, 4, 3)).tolist()

    return measure


NOMINAL = {"momentum": 0.9, "nesterov": True, "nominal_batch": BATCH}
SCRIPTS = {
    "modded-nanogpt-adam": (
        "KellerJordan/modded-nanogpt",
        "f411b3d",
        modded_nanogpt("adam", eps=1e-8),
    ),
    "modded-nanogpt-muon": (
        "KellerJordan/modded-nanogpt",
        "f411b3d",
        modded_nanogpt("normuon", "bfloat16", momentum=0.95, beta2=0.95),
    ),
    "yolov5": ("ultralytics/yolov5", "5081342", built(yolov5, **NOMINAL)),
    "ultralytics-sgd": ("ultralytics", "8", built(ultralytics("SGD"), **NOMINAL)),
    "ultralytics-adamw": ("ultralytics", "8", built(ultralytics("AdamW"), **NOMINAL)),
    "flax-l2": ("google/flax", "18f8f31", in_a_loss(flax_loss)),
    "haiku-l2": ("google-deepmind/dm-haiku", "f4d858a", in_a_loss(haiku_loss)),
    "paddle-lars-momentum": ("paddlepaddle", "3.3.1", paddle_lars),
    "dynet-weight-decay": ("dyNET38", "2", dynet),
    "surprise-svd": ("scikit-surprise", "1", surprise_svd),
    "llm-c": ("karpathy/llm.c", "f1e2ace", compiled(llm_c_kernel, **LLM_C)),
    "libfm-sgd": ("srendle/libfm", "30b9c79", compiled(libfm_step, **LIBFM)),
}
"""Key to package or repository, what its release or commit begins with, and the measurement."""
