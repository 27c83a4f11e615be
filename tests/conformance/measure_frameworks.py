"""What measure.py measures of frameworks that are not torch: TensorFlow, MXNet and others."""

import numpy as np

LR, VALUE, STEPS = 0.0173, 0.037, 3
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32")


def walked(step, read):
    """Return `measure` for a framework: `step` takes a gradient, `read` returns the weights."""

    def path(gradients):
        found = []
        for number in range(STEPS):
            w = read()
            step((0 * w if gradients is None else gradients(number, w)).astype("float32"))
            found.append(read().tolist())
        return found

    return path


def tensorflow_addons(name, parameter="weight_decay", **fixed):
    """Return the measurement of a TensorFlow Addons optimizer."""

    def measure(gradients=None, value=VALUE):
        import tensorflow as tf
        import tensorflow_addons as tfa

        variable = tf.Variable(START)
        optimizer = getattr(tfa.optimizers, name)(learning_rate=LR, **{parameter: value}, **fixed)
        return walked(
            lambda gradient: optimizer.apply_gradients([(tf.constant(gradient), variable)]),
            lambda: variable.numpy().astype(float),
        )(gradients)

    return measure


def mxnet(name, parameter="wd", **fixed):
    """Return the measurement of an MXNet optimizer."""

    def measure(gradients=None, value=VALUE):
        import mxnet as mx

        weight = mx.nd.array(START)
        optimizer = mx.optimizer.create(name, learning_rate=LR, **{parameter: value}, **fixed)
        state = optimizer.create_state_multi_precision(0, weight)

        def step(gradient):
            optimizer.update_multi_precision(0, weight, mx.nd.array(gradient), state)

        return walked(step, lambda: weight.asnumpy().astype(float))(gradients)

    measure.names = fixed
    return measure


def chainer(name, **fixed):
    """Return the measurement of a Chainer optimizer."""

    def measure(gradients=None, value=VALUE):
        import chainer as ch

        link = ch.Link()
        with link.init_scope():
            link.w = ch.Parameter(START.copy())
        rate = {"lr": LR} if name == "MSVAG" else {"alpha": LR}
        optimizer = getattr(ch.optimizers, name)(weight_decay_rate=value, **rate, **fixed)
        optimizer.setup(link)

        def step(gradient):
            link.w.grad = gradient
            optimizer.update()

        return walked(step, lambda: link.w.array.astype(float))(gradients)

    return measure


def mindspore(name, **fixed):
    """Return the measurement of a MindSpore optimizer, in its eager mode."""

    def measure(gradients=None, value=VALUE):
        import mindspore as ms

        ms.set_context(mode=ms.PYNATIVE_MODE, device_target="CPU")
        weight = ms.Parameter(ms.Tensor(START), name="w")
        optimizer = getattr(ms.nn, name)([weight], learning_rate=LR, weight_decay=value, **fixed)
        return walked(
            lambda gradient: optimizer((ms.Tensor(gradient),)),
            lambda: weight.asnumpy().astype(float),
        )(gradients)

    return measure


def jittor(name, **fixed):
    """Return the measurement of a Jittor optimizer along the gradient of a linear loss."""

    def measure(gradients=None, value=VALUE):
        import jittor as jt

        weight = jt.array(START)
        weight.requires_grad = True
        optimizer = getattr(jt.optim, name)([weight], lr=LR, weight_decay=value, **fixed)
        return walked(
            lambda gradient: optimizer.step((weight * jt.array(gradient)).sum()),
            lambda: weight.numpy().astype(float),
        )(gradients)

    return measure


def optax_of(build):
    """Return the measurement of an optax transformation; `build` takes optax and the number."""

    def measure(gradients=None, value=VALUE):
        import jax.numpy as jnp
        import optax

        transform, weight = build(optax, value), jnp.asarray(START)
        state = transform.init(weight)

        def step(gradient):
            nonlocal weight, state
            updates, state = transform.update(jnp.asarray(gradient), state, weight, value=1.0)
            weight = optax.apply_updates(weight, updates)

        return walked(step, lambda: np.asarray(weight).astype(float))(gradients)

    return measure


PRODIGY = optax_of(
    lambda optax, value: optax.contrib.prodigy(LR, weight_decay=value, estim_lr0=1.0)
)
PRODIGY.names, PRODIGY.needs_gradient = {"d": 1.0}, True  # of zeros it makes nan


def paddle_lamb(gradients=None, value=VALUE):
    """Return the weights after each step of Paddle's Lamb."""
    import paddle

    weight = paddle.create_parameter(START.shape, dtype="float32")
    weight.set_value(START)
    optimizer = paddle.optimizer.Lamb(LR, parameters=[weight], lamb_weight_decay=value)

    def step(gradient):
        (weight * paddle.to_tensor(gradient)).sum().backward()
        optimizer.step()
        optimizer.clear_grad()

    return walked(step, lambda: weight.numpy().astype(float))(gradients)


def flax_optim(name):
    """Return the measurement of an optimizer of flax.optim, which Flax 0.6 removed."""

    def measure(gradients=None, value=VALUE):
        import jax.numpy as jnp
        from flax import optim

        fixed = {"beta": 0.0} if name == "Momentum" else {}
        optimizer = getattr(optim, name)(LR, weight_decay=value, **fixed).create(jnp.asarray(START))

        def step(gradient):
            nonlocal optimizer
            optimizer = optimizer.apply_gradient(jnp.asarray(gradient))

        return walked(step, lambda: np.asarray(optimizer.target).astype(float))(gradients)

    return measure


FRAMEWORKS = {
    **{
        f"tfa-{key}": ("tensorflow-addons", "0.23.0", tensorflow_addons(name, parameter))
        for key, name, parameter in (
            ("lamb", "LAMB", "weight_decay"),
            ("radam", "RectifiedAdam", "weight_decay"),
            ("adabelief", "AdaBelief", "weight_decay"),
            ("novograd", "NovoGrad", "weight_decay"),
            ("yogi", "Yogi", "l2_regularization_strength"),
            ("proximal-adagrad", "ProximalAdagrad", "l2_regularization_strength"),
        )
    },
    **{
        f"mxnet-{name}": ("mxnet", "1.9.1", mxnet(name, **fixed))
        for name, fixed in {
            "lbsgd": {"momentum": 0.9},
            "nag": {"momentum": 0.9},
            "adam": {},
            "rmsprop": {},
            "adamax": {},
            "nadam": {},
            "ftml": {},
            "signum": {"momentum": 0.9},
            "adagrad": {},
            "adadelta": {},
            "lamb": {},
            "ftrl": {},
            "lars": {"momentum": 0.9},
        }.items()
    },
    "mxnet-signum-wd-lh": ("mxnet", "1.9.1", mxnet("signum", "wd_lh", momentum=0.9)),
    "chainer-adabound": ("chainer", "7.8.1", chainer("Adam", adabound=True)),
    "chainer-amsgrad": ("chainer", "7.8.1", chainer("Adam", amsgrad=True)),
    "chainer-msvag": ("chainer", "7.8.1", chainer("MSVAG")),
    "mindspore-sgd": ("mindspore", "2.10.0", mindspore("SGD")),
    "mindspore-adam": ("mindspore", "2.10.0", mindspore("Adam")),
    "mindspore-adamw": ("mindspore", "2.10.0", mindspore("AdamWeightDecay")),
    "jittor-sgd": ("jittor", "1.3", jittor("SGD")),
    "jittor-adam": ("jittor", "1.3", jittor("Adam")),
    "jittor-adamw": ("jittor", "1.3", jittor("AdamW")),
    "jittor-adan": ("jittor", "1.3", jittor("Adan")),
    "optax-momo": (
        "optax",
        "0.2.8",
        optax_of(lambda optax, value: optax.contrib.momo(LR, weight_decay=value)),
    ),
    "optax-mechanize": (
        "optax",
        "0.2.8",
        optax_of(
            lambda optax, value: optax.contrib.mechanize(
                optax.sgd(LR), weight_decay=value, s_init=0.1
            )
        ),
    ),
    "optax-prodigy": ("optax", "0.2.8", PRODIGY),
    "paddle-lamb": ("paddlepaddle", "3.3.1", paddle_lamb),
    "flax-optim-adam": ("flax", "0.5", flax_optim("Adam")),
    "flax-optim-momentum": ("flax", "0.5", flax_optim("Momentum")),
}
"""Key to package, the beginning of the release that it holds for, and the measurement."""
