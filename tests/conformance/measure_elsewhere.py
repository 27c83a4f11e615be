"""What measure.py measures in TensorFlow 1 and 2, Theano, Java and JavaScript."""

import importlib.util
import json
import os
import sys
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
from measure_frameworks import walked
from measure_stacks import Absent

LR, VALUE = 0.0173, 0.037
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32")
LENGTH = 50  # of keras-adamw's run


def penalised(penalty, factor):
    """Return the measurement of a penalty in a TensorFlow loss, stepped by plain SGD."""

    def measure(gradients=None, value=VALUE):
        import tensorflow as tf

        variable = tf.Variable(START)

        def step(gradient):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(variable * gradient) + (
                    penalty(variable, value) if value else 0
                )
            variable.assign_sub(LR * tape.gradient(loss, variable))

        return walked(step, lambda: variable.numpy().astype(float))(gradients)

    measure.factor = factor
    return measure


def sonnet_l2(variable, value):
    """Return Sonnet's penalty."""
    import sonnet

    return sonnet.regularizers.L2(value)([variable])


def keras_like(build, **names):
    """Return the measurement of a tf.keras optimizer."""

    def measure(gradients=None, value=VALUE):
        import tensorflow as tf

        variable = tf.Variable(START, name="w")
        optimizer = build(value)
        return walked(
            lambda gradient: optimizer.apply_gradients([(tf.constant(gradient), variable)]),
            lambda: variable.numpy().astype(float),
        )(gradients)

    measure.names = names
    return measure


def hf_tf_adamw(value):
    """Return transformers' AdamW for TensorFlow."""
    from transformers.optimization_tf import AdamWeightDecay

    return AdamWeightDecay(LR, weight_decay_rate=value)


def keras_adamw(value):
    """Return keras-adamw's AdamW without cosine annealing."""
    os.environ["TF_KERAS"] = "1"
    from keras_adamw import AdamW

    return AdamW(
        LR, weight_decays={"w:0": (0.0, value)}, total_iterations=LENGTH, init_verbose=False
    )


def in_session(build, **names):
    """Return the measurement of the step of TensorFlow 1 that `build` makes of a weight.

    It takes TensorFlow, the weight, its gradient and the number.
    """

    def measure(gradients=None, value=VALUE):
        import tensorflow.compat.v1 as tf

        tf.disable_eager_execution()
        tf.reset_default_graph()
        weight = tf.get_variable("w", initializer=START)
        gradient = tf.placeholder(tf.float32, START.shape)
        step = build(tf, weight, gradient, value)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return walked(
                lambda found: session.run(step, {gradient: found}),
                lambda: session.run(weight).astype(float),
            )(gradients)

    measure.names = names
    return measure


def tflearn_l2(tf, weight, gradient, value):
    """Return a step of plain SGD with TFLearn's penalty in the loss."""
    from PIL import Image
    from tensorflow.python.util import nest

    nest.is_sequence = nest.is_nested  # as it was called before TensorFlow 2.13
    Image.ANTIALIAS = Image.LANCZOS  # and before Pillow 10
    import tflearn

    loss = tf.reduce_sum(weight * gradient) + tflearn.regularizers.L2(weight, value)
    return tf.train.GradientDescentOptimizer(LR).minimize(loss, var_list=[weight])


def tf_contrib(name, **fixed):
    """Return the measurement of an optimizer of TensorFlow 1.15's contrib, its file as it is."""

    def build(tf, weight, gradient, value):
        path = "tensorflow_core/contrib/opt/python/training/weight_decay_optimizers.py"
        file = next(Path(each) / path for each in sys.path if (Path(each) / path).is_file())
        spec = importlib.util.spec_from_file_location("weight_decay_optimizers", file)
        module = importlib.util.module_from_spec(spec)
        sys.meta_path.insert(0, Absent("tensorflow.contrib"))
        beside = importlib.import_module("tensorflow.contrib.opt.python.training")
        beside.shampoo.ShampooOptimizer = tf.train.Optimizer
        spec.loader.exec_module(module)
        sys.meta_path.pop(0)
        optimizer = getattr(module, name)(value, learning_rate=LR, **fixed)
        return optimizer.apply_gradients([(gradient, weight)])

    return in_session(build, **fixed)


def lasagne_l2(gradients=None, value=VALUE):
    """Return the weights after each step of Lasagne's SGD with its penalty in the loss."""
    import theano
    from theano import tensor

    folder = next(Path(each) / "lasagne" for each in sys.path if (Path(each) / "lasagne").is_dir())
    text, names = (folder / "regularization.py").read_text(), {"T": tensor}
    penalty = text[text.index("def l2(") : text.index("def apply_penalty(")]
    exec(penalty, names)  # noqa: S102 - its layers beside it import what Theano has renamed
    weight, given = theano.shared(START), tensor.fmatrix()
    loss = (weight * given).sum() + value * names["l2"](weight)
    moved = weight - np.float32(LR) * tensor.grad(loss, weight)
    step = theano.function([given], [], updates=[(weight, moved.astype("float32"))])
    return walked(step, lambda: weight.get_value().astype(float))(gradients)


lasagne_l2.factor = 2.0


def keras_sgd_decay(gradients=None, value=VALUE):
    """Return the weights after each step of Keras 2.2's SGD with `decay`, on Theano."""
    import collections

    import theano
    from theano.sandbox import rng_mrg

    collections.Iterable = collections.abc.Iterable  # as before Python 3.10
    rng_mrg.MRG_RandomStreams = rng_mrg.MRG_RandomStream  # as Theano-PyMC has renamed it
    import keras

    weight = keras.backend.variable(START)
    given = keras.backend.placeholder(START.shape)
    loss = keras.backend.sum(weight * given)
    optimizer = keras.optimizers.SGD(LR, momentum=0.9, decay=value)
    step = theano.function([given], [], updates=optimizer.get_updates(loss, [weight]))
    return walked(step, lambda: weight.get_value().astype(float))(gradients)


keras_sgd_decay.names = {"momentum": 0.9}


@cache
def h2o_server():
    """Start H2O's server for this machine alone, once."""
    import h2o

    h2o.init(ip="127.0.0.1", nthreads=1, max_mem_size="1g", bind_to_localhost=True)
    h2o.no_progress()


OUTPUT = np.random.default_rng(8).normal(size=(1, 4))
TARGETS = (0.9, -0.3, 0.2)


def h2o_trained(inputs, value, **fixed):
    """Return H2O's network of one hidden layer after one pass over the inputs."""
    h2o_server()
    from h2o import H2OFrame
    from h2o.estimators import H2ODeepLearningEstimator

    rows = [[*map(float, row), y] for row, y in zip(inputs, TARGETS, strict=False)]
    rows.append([None, 0.0, 0.0, 1.0])  # skipped; without it the response could be constant
    names = ["a", "b", "c", "y"]
    frame = H2OFrame(rows, column_names=names, column_types=["numeric"] * 4)
    tables = [
        H2OFrame(each.tolist()) for each in (START, OUTPUT, np.zeros((4, 1)), np.ones((1, 1)))
    ]
    model = H2ODeepLearningEstimator(
        hidden=[4], activation="tanh", adaptive_rate=False, rate=LR, rate_annealing=0, l2=value,
        initial_weights=tables[:2], initial_biases=tables[2:], standardize=False,
        ignore_const_cols=False, missing_values_handling="skip", epochs=0.1,
        train_samples_per_iteration=-1, force_load_balance=False, reproducible=True, seed=1,
        overwrite_with_best_model=False, export_weights_and_biases=True, **fixed,
    )  # fmt: skip
    model.train(x=names[:3], y="y", training_frame=frame)
    return model


def h2o_table(found):
    """Return a table of H2O's as numbers."""
    return np.array(found.as_data_frame(use_pandas=False, header=False), dtype=float).tolist()


def h2o_deeplearning(gradients=None, value=VALUE):
    """Return the hidden weights after each example, whose inputs are zeros or of the noise."""
    inputs, fixed = np.zeros((3, 3)), {"fast_mode": False}
    if gradients is not None:
        inputs, fixed = [gradients(step, START)[0] for step in range(3)], {}
    paths = [h2o_trained(inputs[:count], value, **fixed).weights(0) for count in (1, 2, 3)]
    return [h2o_table(each) for each in paths]


def h2o_by_default():
    """Return what fast_mode leaves of weights without inputs, and a bias along an error."""
    model = h2o_trained(np.zeros((1, 3)), VALUE)
    moved = h2o_table(h2o_trained(np.zeros((1, 3)), 0.0).biases(1))[0][0] - 1.0
    return {"fast_mode": [h2o_table(model.weights(0))], "bias": [TARGETS[0] - 1.0, moved]}


h2o_deeplearning.own_gradient, h2o_deeplearning.beside = True, h2o_by_default


NODE = """
const settings = JSON.parse(process.argv[1]);
const lines = require('readline').createInterface({ input: process.stdin });
const take = STEPPER(settings);
lines.on('line', (line) => console.log(JSON.stringify(take(JSON.parse(line)))));
"""
CONVNETJS = """((s) => {
  const { Trainer } = require('convnetjs');
  const w = Float64Array.from(s.start), g = new Float64Array(w.length);
  const net = {
    layers: [{ layer_type: 'regression' }],
    forward: () => {},
    backward: () => 0,
    getParamsAndGrads: () => [{ params: w, grads: g, l2_decay_mul: 1, l1_decay_mul: 0 }],
  };
  const trainer = new Trainer(net, {
    method: 'sgd', learning_rate: s.lr, momentum: 0.9, batch_size: 2, l2_decay: s.value,
  });
  return (found) => {
    for (let i = 0; i < 2; i++) {
      found.forEach((each, place) => { g[place] += each; });
      trainer.train(null, [0]);
    }
    return Array.from(w);
  };
})"""
TFJS = """((s) => {
  const tf = require('@tensorflow/tfjs');
  const w = tf.variable(tf.tensor(s.start));
  const optimizer = tf.train.sgd(s.lr), penalty = tf.regularizers.l2({ l2: s.value });
  return (found) => {
    optimizer.minimize(() => tf.sum(tf.mul(w, tf.tensor(found))).add(penalty.apply(w)));
    return Array.from(w.dataSync());
  };
})"""


def node(stepper, **names):
    """Return the measurement of a JavaScript optimizer, one line a step."""

    def measure(gradients=None, value=VALUE):
        settings = json.dumps({"start": START.ravel().tolist(), "lr": LR, "value": value})
        script = NODE.replace("STEPPER", stepper)
        with Popen(["node", "-e", script, settings], stdin=PIPE, stdout=PIPE, text=True) as found:
            weight = START.astype(float)

            def step(gradient):
                found.stdin.write(json.dumps(gradient.ravel().tolist()) + "\n")
                found.stdin.flush()
                line = next(each for each in found.stdout if each.startswith("["))
                weight[:] = np.reshape(json.loads(line), weight.shape)

            path = walked(step, weight.copy)(gradients)
            found.stdin.close()
        return path

    measure.names = names
    return measure


TFJS_L2 = node(TFJS)
TFJS_L2.factor = 2.0
MOMENTUM = {"momentum": 0.9}
ELSEWHERE = {
    "sonnet-l2": ("dm-sonnet", "2", penalised(sonnet_l2, 2.0)),
    "tflearn-l2": ("tflearn", "0.5", in_session(tflearn_l2)),
    "hf-tf-adamw": ("transformers", "4", keras_like(hf_tf_adamw)),
    "keras-adamw-package": (
        "keras-adamw",
        "1",
        keras_like(keras_adamw, steps=LENGTH, multiplier=1.0),
    ),
    "tf-contrib-adamw": ("tensorflow", "1.15", tf_contrib("AdamWOptimizer")),
    "tf-contrib-momentumw": ("tensorflow", "1.15", tf_contrib("MomentumWOptimizer", **MOMENTUM)),
    "lasagne-l2": ("Lasagne", "0", lasagne_l2),
    "keras-sgd-decay": ("Keras", "2.2", keras_sgd_decay),
    "h2o-deeplearning": ("h2o", "3.46", h2o_deeplearning),
    "convnetjs": ("convnetjs", "0", node(CONVNETJS, batch_size=2, **MOMENTUM)),
    "tfjs-l2": ("@tensorflow/tfjs", "4", TFJS_L2),
}
"""Key to package, the beginning of the release that it holds for, and the measurement."""
