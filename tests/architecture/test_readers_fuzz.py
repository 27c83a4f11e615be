"""Readers fed with anything: they answer, or refuse on purpose in one line, in bounded time."""

import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decaycalc.architecture import parse_architecture
from decaycalc.architecture.hub import MODEL_TYPES
from decaycalc.architecture.readers import read_architecture
from decaycalc.architecture.readers.listing import read_csv, read_document, read_jsonl
from decaycalc.errors import DecaycalcError

LIMITS = settings(
    max_examples=30, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
SHAPES = st.lists(st.integers(-2, 10**6), max_size=4) | VALUES
OFFSETS = st.lists(st.integers(-1, 64), max_size=3) | VALUES
HEADERS = st.dictionaries(
    st.text(max_size=8),
    st.fixed_dictionaries(
        {},
        optional={
            "dtype": st.sampled_from(["F32", "BF16", "F4", "x"]),
            "shape": SHAPES,
            "data_offsets": OFFSETS,
        },
    )
    | VALUES,
    max_size=4,
)
FIELDS = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "depths", "num_heads", "n_layer",
    "architectures", "id2label", "image_size", "vocab_size", "initializer_range", "embed_dim",
    "tie_word_embeddings", "head_dim", "num_labels", "d_model", "feed_forward_proj",
)  # fmt: skip


def attempt(read, *arguments):
    try:
        net = read(*arguments)
    except DecaycalcError as error:
        return str(error)
    return f"{net.n_parameters}"


def check(read, *arguments):
    assert "\n" not in attempt(read, *arguments)


@LIMITS
@given(st.binary(max_size=200))
@pytest.mark.parametrize("ending", ["safetensors", "npz", "npy", "json", "csv", "toml", "jsonl"])
def test_any_bytes(tmp_path, ending, data):
    path = tmp_path / f"m.{ending}"
    path.write_bytes(data)
    check(read_architecture, str(path))


@LIMITS
@given(HEADERS, st.binary(max_size=64), st.integers(-3, 3))
def test_any_safetensors_header(tmp_path, header, data, slip):
    text = json.dumps(header).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(max(0, len(text) + slip).to_bytes(8, "little") + text + data)
    check(read_architecture, str(path))


@LIMITS
@given(VALUES)
def test_any_document(value):
    check(read_document, value, "x.json")
    check(read_document, {"layers": value}, "x.json")
    check(read_document, {"layers": [{"type": "conv", "in": value, "out": value}]}, "x.json")
    check(read_document, {"tensors": value}, "x.json")


@LIMITS
@given(st.sampled_from(list(MODEL_TYPES)), st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_configuration(tmp_path, kind, fields):
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("decaycalc.architecture.build.MOST_TENSORS", 1000)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"num_hidden_layers": 1, **fields, "model_type": kind}))
    check(read_architecture, str(path))
    monkeypatch.undo()


@LIMITS
@given(st.text(max_size=60))
def test_any_text(text):
    check(read_csv, text, "x.csv")
    check(read_jsonl, text, "x.jsonl")


@LIMITS
@given(st.binary(max_size=120), st.integers(0, 400), st.binary(max_size=4))
def test_any_archive(tmp_path, array, place, patch):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", b"\x93NUMPY\x01\x00" + array)
    data = bytearray(stream.getvalue())
    data[place : place + len(patch)] = patch
    path = tmp_path / "m.npz"
    path.write_bytes(data)
    check(read_architecture, str(path))


@LIMITS
@given(
    st.text(alphabet="abcdeghilnorstvw0123456789-_x, .", max_size=20).filter(
        lambda t: t.strip() != "-"
    )
)
def test_any_name(text):
    check(parse_architecture, text)
