"""Deeplearning4j."""

from decaycalc.conventions.catalogue.groups import OTHERS
from decaycalc.conventions.catalogue.shapes import decoupled, objective, package
from decaycalc.conventions.record import Buffer, Convention, Follows

_dl4j = package(
    group=OTHERS,
    key="dl4j-{key}",
    source="deeplearning4j/deeplearning4j, nd4j-api, org/nd4j/linalg/learning/regularization/{name}.java, POST_UPDATER (1373917)",
    optimizer="dl4j-updater",
    parameter="coeff",
    default="none",
    exempt="biases (weightDecayBias is another number)",
    verification="literal step: Java, its native kernels are on Maven alone",
)

CONVENTIONS: tuple[Convention, ...] = (
    _dl4j(
        decoupled,
        "WeightDecay",
        key="dl4j-weight-decay",
        title="Deeplearning4j WeightDecay(coeff, applyLR=true), under any updater",
        update="w = w - lr*unmodelled(g) - lr*coeff*w",
        trap="applyLR=false drops the lr: the same coeff then decays 1/lr times more",
    ),
    _dl4j(
        decoupled,
        "WeightDecay",
        key="dl4j-weight-decay-no-lr",
        title="Deeplearning4j WeightDecay(coeff, applyLR=false)",
        update="w = w - lr*unmodelled(g) - coeff*w",
        follows=Follows.CONSTANT,
        trap="no lr and no schedule in the decay",
    ),
    _dl4j(
        objective,
        "l2",
        title="Deeplearning4j l2(λ): loss + (λ/2)·Σw²",
        parameter="l2",
        buffer=Buffer.INSIDE,
        exempt="biases (l2Bias is another number)",
        trap="under Adam it is no decay; weightDecay is the decoupled one",
        source="deeplearning4j/deeplearning4j, nd4j-api, org/nd4j/linalg/learning/regularization/L2Regularization.java, BEFORE_UPDATER; learning/NesterovsUpdater.java (1d17030)",
    ),
)
