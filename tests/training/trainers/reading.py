"""What the tests of trainers share: a file's text to a Training, and its decay per step."""

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.catalogue import find
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.side import Side
from decaycalc.training.source import read_training

# A Python script with a loop of its own.
LOOP = """\
for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.step()
    scheduler.step()
"""
SCRIPT = f"""\
import torch
from torch import nn, optim
from torch.utils.data import DataLoader

EPOCHS = 30
model = nn.Linear(10, 2)
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
train_loader = DataLoader(data, batch_size=128, shuffle=True)
{LOOP}"""


def read(folder, name, text, **given):
    """Return the training of a text written to a file of that name; `kind` may be given too."""
    kind = given.pop("kind", None)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_training(str(path), given=given, kind=kind)


def script(folder, *lines, after="", **given):
    """Return the training of a Python script whose lines make an optimizer of torch's."""
    head = "import torch\nfrom torch.optim import *\n"
    return read(folder, "train.py", head + "\n".join(lines) + "\n" + after, **given)


def shrink(training):
    """Return the first-order decay per step (1/step), None where there is none."""
    if training.convention is None or training.value is None:
        return None
    side = Side(convention=find(training.convention), run=training.run)
    decay = decay_of(side, exact(training.value))
    return None if decay is None else decay.first_order_shrink


def origins(training):
    """Return the origin of each quantity by its name."""
    return {found.name: found.origin.value for found in training.quantities}


def quantity(training, name):
    """Return the quantity of that name."""
    return next(found for found in training.quantities if found.name == name)
