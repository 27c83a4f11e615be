"""Tied tensors that a checkpoint stores twice are told of; the totals stay as the file has them."""

import json

import numpy as np
import pytest

from decaycalc.architecture.readers import open_checkpoint, read_architecture
from decaycalc.architecture.readers import ties as module

TABLE = "model.embed_tokens.weight"
OUTPUT = "lm_head.weight"
RANDOM = np.random.default_rng(4)
WORDS = RANDOM.normal(size=(50, 40)).astype(np.float32)
OTHER = RANDOM.normal(size=(50, 40)).astype(np.float32)


def save(folder, arrays, name="m.safetensors"):
    """Return the path of a file of float32 tensors."""
    header, data = {}, b""
    for key, array in arrays.items():
        raw = array.astype("<f4").tobytes()
        place = [len(data), len(data) + len(raw)]
        header[key] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": place}
        data += raw
    text = json.dumps(header).encode()
    path = folder / name
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return str(path)


def note_of(folder, arrays, tied=None):
    """Return what is told about a file with a config.json beside it that says so, if any."""
    if tied is not None:
        (folder / "config.json").write_text(json.dumps({"tie_word_embeddings": tied}))
    return " ".join(open_checkpoint(save(folder, arrays)).architecture.notes)


def test_a_configuration_that_ties_them_is_believed(tmp_path):
    note = note_of(tmp_path, {TABLE: WORDS, OUTPUT: OTHER, "norm.weight": WORDS[0]}, tied=True)
    assert note == (
        "'lm_head.weight' stands beside 'model.embed_tokens.weight', and config.json ties the two: "
        "2000 weights are counted once more than the model has them"
    )
    assert open_checkpoint(str(tmp_path / "m.safetensors")).architecture.n_parameters == 4040


def test_a_configuration_that_does_not_is_believed_too(tmp_path):
    assert note_of(tmp_path, {TABLE: WORDS, OUTPUT: WORDS}, tied=False) == ""


@pytest.mark.parametrize("text", [None, "{}", "[]", '{"tie_word_embeddings": 1}', "{"])
def test_without_its_word_the_values_tell(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    assert "the values are the same" in note_of(tmp_path, {TABLE: WORDS, OUTPUT: WORDS})
    assert note_of(tmp_path, {TABLE: WORDS, OUTPUT: OTHER}) == ""


def test_tables_that_share_all_values_are_named_whatever_the_configuration_says(tmp_path):
    arrays = {"encoder.embed_tokens.weight": WORDS, "shared.weight": WORDS, OUTPUT: OTHER}
    note = note_of(tmp_path, arrays, tied=False)
    assert note.startswith("'encoder.embed_tokens.weight' stands beside 'shared.weight'")


@pytest.mark.parametrize(
    "arrays",
    [
        {"a.weight": WORDS, OUTPUT: WORDS},
        {TABLE: WORDS, "b.weight": WORDS},
        {TABLE: WORDS, OUTPUT: WORDS[:40]},
        {TABLE: np.zeros((50, 40)), OUTPUT: np.zeros((50, 40))},
        {TABLE: WORDS[0], OUTPUT: WORDS[0]},
    ],
    ids=["no table", "no output", "other shape", "zeros", "one dimension"],
)
def test_what_only_looks_alike_is_not_told_of(tmp_path, arrays):
    assert note_of(tmp_path, arrays) == ""


def test_shards_lie_beside_one_configuration(tmp_path):
    save(tmp_path, {TABLE: WORDS}, "model-1.safetensors")
    save(tmp_path, {OUTPUT: WORDS}, "model-2.safetensors")
    places = {TABLE: "model-1.safetensors", OUTPUT: "model-2.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    assert "the values are the same" in read_architecture(str(index)).notes[0]


def test_an_archive_is_told_of_by_its_configuration_alone(tmp_path):
    np.savez(tmp_path / "m.npz", **{TABLE: WORDS, OUTPUT: WORDS})
    assert read_architecture(str(tmp_path / "m.npz")).notes == ()
    (tmp_path / "config.json").write_text('{"tie_word_embeddings": true}')
    assert "config.json ties the two" in read_architecture(str(tmp_path / "m.npz")).notes[0]


def test_a_file_that_vanishes_meanwhile_is_not_told_of(tmp_path):
    checkpoint = open_checkpoint(save(tmp_path, {TABLE: WORDS, OUTPUT: WORDS}))
    (tmp_path / "m.safetensors").unlink()
    assert module.stored_twice(checkpoint) == ""


@pytest.mark.parametrize("measured", [(), ("--measure",)])
def test_the_command_warns_in_one_line_and_keeps_the_totals(tmp_path, run, measured):
    path = save(tmp_path, {TABLE: WORDS, OUTPUT: WORDS})
    found = run("arch", path, "--json", *measured)
    assert found.status == 0
    assert json.loads(found.out)["n_parameters"] == 4000
    assert found.err.count("\n") == 1
    assert "2000 weights are counted once more than the model has them" in found.err
    assert run("arch", save(tmp_path, {TABLE: WORDS})).err == ""
