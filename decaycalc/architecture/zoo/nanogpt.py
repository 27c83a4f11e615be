"""GPT-2 as nanoGPT trains it: without biases, with a vocabulary padded to 50304.

Source: karpathy/nanoGPT, model.py and train.py (names, `_init_weights`, `configure_optimizers`).
"""

from math import sqrt

from decaycalc.architecture.build import Builder, Start, normal
from decaycalc.architecture.tensors import Architecture

VOCABULARY = 50304  # 50,257 rounded up to a multiple of 64
POSITIONS = 1024
STD = 0.02


def nanogpt(width: int, layers: int, *, name: str) -> Architecture:
    """Return nanoGPT; residual projections start with a deviation of 0.02/sqrt(2 layers)."""
    rule, residual = normal(STD), normal(STD / sqrt(2 * layers))
    part = Builder(Start(linear=rule, embedding=rule))
    part.embedding("transformer.wte", VOCABULARY, width)
    part.positions("transformer.wpe", POSITIONS, width)
    for index in range(layers):
        block = f"transformer.h.{index}"
        part.norm(f"{block}.ln_1", width, bias=False)
        part.linear(f"{block}.attn.c_attn", width, 3 * width, bias=False)
        part.linear(f"{block}.attn.c_proj", width, width, bias=False, rule=residual)
        part.norm(f"{block}.ln_2", width, bias=False)
        part.linear(f"{block}.mlp.c_fc", width, 4 * width, bias=False)
        part.linear(f"{block}.mlp.c_proj", 4 * width, width, bias=False, rule=residual)
    part.norm("transformer.ln_f", width, bias=False)
    return part.done(name, classes=VOCABULARY)
