"""The classics: Caffe, Darknet, Torch7, Theano and their time."""

from decaycalc.catalogue.shapes import FULL_PENALTY, HALF_PENALTY, TENSOR_MULTIPLIERS
from decaycalc.convention import ANY, Buffer, Convention

_GROUP = "Classics"

CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        key="caffe",
        aliases=("caffe-sgd",),
        title="Caffe SGDSolver(weight_decay, decay_mult)",
        group=_GROUP,
        parameter="weight_decay",
        strength=HALF_PENALTY,
        buffer=Buffer.INSIDE,
        refinements=TENSOR_MULTIPLIERS,
        update="g = g + weight_decay*w; w = w - velocity(lr*g)",
        default="none",
        trap="lr_mult: 2 on a bias doubles its decay too; gradients are clipped before the decay joins",
        source="BVLC/caffe, src/caffe/solvers/sgd_solver.cpp, Regularize and ComputeUpdateValue (9b89154)",
        verification="literal step: no package to install",
        common=True,
    ),
    Convention(
        key="darknet",
        aliases=("yolo-darknet",),
        title="Darknet cfg: decay",
        group=_GROUP,
        parameter="decay",
        strength=HALF_PENALTY,
        update="g = g + decay*w; w = w - lr*heavy_ball(g)",
        default="0.0001",
        exempt="biases and batch-norm scales",
        trap="its buffer holds the batch sum, decay·batch and lr/batch: the batch cancels, the number is a mean loss's λ",
        source="pjreddie/darknet, src/convolutional_layer.c, update_convolutional_layer (f6afaab)",
        verification="executed: darknet 0.0.0+git20180914",
    ),
    Convention(
        key="lasagne-l2",
        title="Lasagne regularize_network_params(l2): loss + c·Σw²",
        group=_GROUP,
        parameter="coefficient",
        strength=FULL_PENALTY,
        optimizer=ANY,
        update="minimise loss + coefficient*sum(w**2)",
        exempt="biases (they lack the tag regularizable)",
        trap="no half: the same number decays twice as much as an optimizer's weight_decay",
        source="Lasagne/Lasagne, lasagne/regularization.py, l2 (5d3c63c)",
        verification="literal step: needs Theano, which no current Python runs",
    ),
)
