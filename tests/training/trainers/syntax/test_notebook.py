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
    text = notebook(("markdown", "# Hello"), ("code", "%%bash\nls"), ("code", lines), ("code", []))
    found = read(tmp_path, "train.ipynb", text)
    assert (found.convention, float(found.run.lr)) == ("pytorch-sgd", 0.1)
    assert quantity(found, "lr").line == 8
    assert "its lines are counted over the code cells, one after another" in found.notes


def test_a_notebook_without_an_optimizer_is_refused(tmp_path):
    text = notebook(("code", "x = 1"), ("code", None))
    with pytest.raises(UnreadableFileError, match="a notebook that makes no optimizer"):
        read(tmp_path, "train.ipynb", text)
    with pytest.raises(UnreadableFileError, match="it is not Python"):
        read(tmp_path, "train.ipynb", notebook(("code", "import torch.optim\nx = = 1")))


def test_a_line_is_where_the_file_has_it(tmp_path):
    lines = ["import torch\n", "\n", "o = torch.optim.SGD(m.parameters(), lr=0.1)\n", "o.step()"]
    cells = (("markdown", ["# import torch\n", "more"]), ("code", lines), ("code", ["x = 'é'"]))
    text = json.dumps(json.loads(notebook(*cells)), indent=1)
    found = read(tmp_path, "train.ipynb", text)
    line = quantity(found, "lr").line
    assert "lr=0.1" in text.split("\n")[line - 1]
    assert not found.notes
    moved = text.replace('"o.step()"', '"o.step()\\n", "pass"')
    assert found.schedule == read(tmp_path, "train.ipynb", moved).schedule == "constant"
    assert read(tmp_path, "train.ipynb", moved).notes
