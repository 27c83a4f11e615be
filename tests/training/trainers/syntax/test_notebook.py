"""Jupyter notebooks, as the script that their code cells are."""

import json

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read


def notebook(*cells):
    made = [{"cell_type": kind, "source": source, "metadata": {}} for kind, source in cells]
    return json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_a_notebook_is_its_code_cells(tmp_path):
    lines = ["!pip install torch\n", "%matplotlib inline\n", "files = !ls\n", "import torch\n",
             "if True:\n", "    !nvidia-smi\n", "torch.optim?\n",
             "o = torch.optim.SGD(m.parameters(), lr=0.1)\n", "o.step()"]  # fmt: skip
    text = notebook(("markdown", "# Hello"), ("code", "%%bash\nls"), ("code", lines))
    found = read(tmp_path, "train.ipynb", text)
    assert (found.convention, float(found.run.lr)) == ("pytorch-sgd", 0.1)
    assert quantity(found, "lr").line == 9
    assert "its lines are counted over the code cells, one after another" in found.notes


def test_a_notebook_without_an_optimizer_is_refused(tmp_path):
    text = notebook(("code", "x = 1"), ("code", None))
    with pytest.raises(UnreadableFileError, match="a notebook that makes no optimizer"):
        read(tmp_path, "train.ipynb", text)
    with pytest.raises(UnreadableFileError, match="it is not Python"):
        read(tmp_path, "train.ipynb", notebook(("code", "import torch.optim\nx = = 1")))
