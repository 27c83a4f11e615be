"""The runs of the paper that decoupled the decay."""

from decaycalc.training.published.data_sets import CIFAR
from decaycalc.training.published.record import Recipe

RECIPES = (
    Recipe(
        name="adamw-paper-cifar10",
        title="AdamW paper, Shake-Shake on CIFAR-10",
        convention="adamw-normalized",
        value="0.025",
        lr="0.001",
        batch_size=128,
        dataset_size=CIFAR,
        epochs="1500",
        schedule="cosine",
        checked="README.md, train.lua@0ae5185",
        source="Loshchilov & Hutter, arXiv 1711.05101; loshchil/AdamW-and-SGDW README.md",
        note="the normalised λ: 3.266e-5 per step by the paper's B/N, 3.264e-5 by the code, which "
        "counts 391 batches an epoch; PyTorch's AdamW would say 0.03266",
    ),
    Recipe(
        name="sgdw-paper-cifar10",
        title="AdamW paper, SGDW on CIFAR-10",
        convention="adamw-normalized",
        value="0.025",
        lr="0.05",
        batch_size=128,
        dataset_size=CIFAR,
        epochs="1500",
        schedule="cosine",
        checked="README.md, train.lua@0ae5185",
        source="loshchil/AdamW-and-SGDW README.md, train.lua",
        note="the normalised λ, not multiplied by lr; momentum 0.9",
    ),
)
