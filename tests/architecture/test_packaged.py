"""Weights of Keras, ONNX and GGUF files measured: by stand-ins for the packages, and by those."""

import io
import math
import os
import sys
import types
import zipfile

import numpy as np
import pytest

from decaycalc.architecture.measure import measure
from decaycalc.architecture.readers import keras_files, onnx_files, open_checkpoint
from decaycalc.errors import UnreadableFileError

RANDOM = np.random.default_rng(6)
VALUES = RANDOM.normal(size=(37, 11))


def squares(array):
    return float(np.sum(np.asarray(array, np.float64) ** 2))


def measured(path):
    """Return the sums of squares by name."""
    return {result.name: result.sum_of_squares for result in measure(open_checkpoint(str(path)))}


def fake(monkeypatch, name, **content):
    monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(**content))


def write(folder, name, data=b"x"):
    path = folder / name
    path.write_bytes(data)
    return path


def initialiser(name, dims, kind, **more):
    """Return a stand-in for a TensorProto."""
    given = {
        "raw_data": b"", "float_data": [], "double_data": [], "int32_data": [],
        "data_location": 0, "external_data": [], **more,
    }  # fmt: skip
    return types.SimpleNamespace(name=name, dims=dims, data_type=kind, **given)


@pytest.fixture
def onnx_file(tmp_path, monkeypatch):
    """Return a function that makes an ONNX file of initialisers."""

    def make(*entries):
        graph = types.SimpleNamespace(initializer=entries)
        model = types.SimpleNamespace(graph=graph)
        fake(monkeypatch, "onnx", load=lambda _path, **_more: model)
        return write(tmp_path, "m.onnx")

    return make


def test_onnx_values_are_measured_however_they_are_kept(onnx_file, monkeypatch):
    monkeypatch.setattr(onnx_files, "PIECE", 64)
    half = VALUES.astype("<f2")
    found = measured(
        onnx_file(
            initialiser("raw.w", [37, 11], 1, raw_data=VALUES.astype("<f4").tobytes()),
            initialiser("float.w", [2, 2], 1, float_data=[1.0, 2.0, 3.0, 4.0]),
            initialiser("double.w", [2, 2], 11, double_data=[1.0, 2.0, 3.0, 5.0]),
            initialiser("half.w", [37, 11], 10, int32_data=half.view("<u2").ravel().tolist()),
        )
    )
    assert found["raw.w"] == pytest.approx(squares(VALUES.astype(np.float32)), rel=1e-7)
    assert (found["float.w"], found["double.w"]) == (30, 39)
    assert found["half.w"] == pytest.approx(squares(half), rel=1e-7)


def test_onnx_values_fewer_than_the_shape_holds_are_refused(onnx_file):
    path = onnx_file(initialiser("w.w", [3, 3], 1, float_data=[1.0]))
    with pytest.raises(UnreadableFileError, match=r"'w.w' has 4 bytes, other than its shape needs"):
        measured(path)


def external(**keys):
    pairs = [types.SimpleNamespace(key=key, value=value) for key, value in keys.items()]
    return initialiser("w.w", [37, 11], 1, data_location=1, external_data=pairs)


def test_onnx_values_beside_the_model_are_read_where_they_are(onnx_file, tmp_path):
    write(tmp_path, "m.data", b"head" + VALUES.astype("<f4").tobytes())
    found = measured(onnx_file(external(location="m.data", offset="4")))
    assert found["w.w"] == pytest.approx(squares(VALUES.astype(np.float32)), rel=1e-7)
    with pytest.raises(UnreadableFileError, match="goes past the end of its 1632 bytes"):
        measured(onnx_file(external(location="m.data", offset="8")))


def test_onnx_values_that_became_fewer_are_refused(onnx_file, tmp_path):
    data = write(tmp_path, "m.data", VALUES.astype("<f4").tobytes())
    checkpoint = open_checkpoint(str(onnx_file(external(location="m.data", offset="0"))))
    data.write_bytes(b"short")
    with pytest.raises(UnreadableFileError, match="changed while being read: it ends too early"):
        measure(checkpoint)
    data.unlink()
    with pytest.raises(UnreadableFileError, match="changed while being read: "):
        measure(checkpoint)


def test_onnx_values_behind_a_link_or_in_a_pipe_are_refused(onnx_file, tmp_path):
    (tmp_path / "m.data").symlink_to("/etc/hosts")
    with pytest.raises(UnreadableFileError, match=r"behind a link, 'm\.data'"):
        onnx_architecture(onnx_file(external(location="m.data")))
    (tmp_path / "folder").symlink_to("/etc")
    with pytest.raises(UnreadableFileError, match="behind a link"):
        onnx_architecture(onnx_file(external(location="folder/hosts")))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        onnx_architecture(onnx_file(external(location="pipe")))


def onnx_architecture(path):
    return open_checkpoint(str(path)).architecture


def test_an_onnx_tensor_that_is_not_named_in_utf_8_is_refused(onnx_file):
    with pytest.raises(UnreadableFileError, match="is not named in UTF-8"):
        onnx_architecture(onnx_file(initialiser(b"\xff.w", [2, 2], 1)))
    with pytest.raises(UnreadableFileError, match="not an ONNX model"):
        onnx_architecture(onnx_file(types.SimpleNamespace(data_type=1, name="w")))
    with pytest.raises(UnreadableFileError, match="goes past 64 sizes"):
        onnx_architecture(onnx_file(initialiser("w.w", [2**62], 1)))


@pytest.mark.parametrize(
    ("location", "offset"),
    [("", "0"), ("/etc/hosts", "0"), ("../m.data", "0"), ("m.data", "-1"), ("m.data", "9" * 30)],
)
def test_onnx_values_elsewhere_are_refused(onnx_file, location, offset):
    with pytest.raises(UnreadableFileError, match="its external data lie at"):
        measured(onnx_file(external(location=location, offset=offset)))


class Dataset:
    """Stands in for a dataset of h5py."""

    def __init__(self, values, stored=None):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        n_bytes = values.nbytes if stored is None else stored
        self.external, self.is_virtual, self.chunks = None, False, None
        self.id = types.SimpleNamespace(get_storage_size=lambda: n_bytes)

    def __getitem__(self, key):
        return self.values[key]


@pytest.fixture
def keras_file(tmp_path, monkeypatch):
    """Return a function that makes a Keras file of datasets, and the number of its openings."""

    def make(datasets, name="m.h5"):
        class File:
            def __init__(self, *_args):
                self.visititems = lambda visit: [visit(*item) for item in datasets.items()]

            def __enter__(self):
                return self

            def __exit__(self, *_args):
                return None

            def __getitem__(self, key):
                return datasets[key]

        fake(monkeypatch, "h5py", Dataset=Dataset, File=File)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("model.weights.h5", b"x")
        return write(tmp_path, name, stream.getvalue())

    return make


@pytest.mark.parametrize("name", ["m.h5", "m.weights.h5", "m.keras"])
def test_keras_values_are_measured_some_rows_at_a_time(keras_file, monkeypatch, name):
    monkeypatch.setattr(keras_files, "PIECE", 256)
    layer = "layers/dense/vars"
    datasets = {
        f"{layer}/0": Dataset(VALUES.astype("<f4")),
        f"{layer}/1": Dataset(VALUES[0].astype(">f8")),
        f"{layer}/2": Dataset(VALUES[:, 0].astype("<f2")),
        "scale/vars/0": Dataset(np.float32(3.0).reshape(())),
        "none/vars/0": Dataset(np.zeros((0, 4), np.float32)),
        "seed/vars/0": Dataset(np.ones(2, np.uint32)),
    }
    found = list(measured(keras_file(datasets, name)).values())
    expected = [datasets[f"{layer}/{index}"].values for index in range(3)]
    assert found[:3] == pytest.approx([squares(values) for values in expected], rel=1e-7)
    assert found[3:] == [9, 0]


def test_keras_rows_too_large_to_hold_are_measured_in_parts(keras_file, monkeypatch):
    monkeypatch.setattr(keras_files, "PIECE", 64)
    values = RANDOM.normal(size=(3, 5, 40)).astype("<f4")
    found = measured(keras_file({"a/vars/0": Dataset(values)}))
    assert found["a/vars/kernel"] == pytest.approx(squares(values), rel=1e-7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"external": [("/etc/hosts", 0, 8)]}, "keeps its values in other files"),
        ({"is_virtual": True}, "keeps its values in other files"),
        ({"chunks": (2**14, 2**14)}, "has chunks of more than 256 MiB"),
    ],
)
def test_keras_values_that_lie_elsewhere_or_in_huge_chunks_are_refused(keras_file, change, words):
    dataset = Dataset(VALUES)
    vars(dataset).update(change)
    with pytest.raises(UnreadableFileError, match=words):
        open_checkpoint(str(keras_file({"a/vars/0": dataset})))


def test_keras_groups_are_not_nested_without_end(keras_file):
    with pytest.raises(UnreadableFileError, match="nested deeper than 64"):
        open_checkpoint(str(keras_file({"a/" * 65 + "vars/0": Dataset(VALUES)})))


def test_a_keras_dataset_that_holds_nothing_is_left_out(keras_file):
    empty = Dataset(VALUES)
    empty.shape = None
    found = measured(keras_file({"a/vars/0": empty, "b/vars/0": Dataset(VALUES)}))
    assert list(found) == ["b/vars/kernel"]


def test_keras_values_of_unknown_formats_are_named(keras_file):
    path = keras_file({"a/vars/0": Dataset(np.zeros((4, 2), "V2"))})
    with pytest.raises(UnreadableFileError, match=r"'a/vars/kernel' has values of void16, which"):
        measured(path)


def test_a_keras_dataset_that_would_grow_beyond_measure_is_refused(keras_file, monkeypatch):
    monkeypatch.setattr(keras_files, "PIECE", 16)
    path = keras_file({"a/vars/0": Dataset(np.zeros((4000, 2), np.float32), stored=8)})
    with pytest.raises(UnreadableFileError, match="'a/vars/0' would grow to 32000 bytes"):
        measured(path)


def test_a_keras_dataset_that_cannot_be_read_is_refused(keras_file):
    broken = Dataset(VALUES)
    path = keras_file({"a/vars/0": broken})
    checkpoint = open_checkpoint(str(path))
    broken.values = None
    broken.id = types.SimpleNamespace(get_storage_size=lambda: 1 / 0)
    Dataset.__getitem__, kept = (
        lambda *_: (_ for _ in ()).throw(OSError("no filter")),
        (Dataset.__getitem__),
    )
    try:
        with pytest.raises(UnreadableFileError, match="its data are damaged: no filter"):
            measure(checkpoint)
    finally:
        Dataset.__getitem__ = kept


def test_the_command_measures_them_and_says_what_it_can(tmp_path, run, keras_file):
    path = keras_file({"a/vars/0": Dataset(np.full((3, 2), 2.0, np.float32))})
    found = run("arch", path, "--measure", "--format", "csv")
    assert (found.status, found.err) == (0, "")
    assert ",24.0," in found.out
    bad = run("arch", write(tmp_path, "m.json", b"{}"), "--measure")
    assert bad.status == 2
    assert ".onnx, .keras, .h5 or .gguf" in bad.err


def test_real_onnx_values_are_measured(tmp_path):
    onnx = pytest.importorskip("onnx")
    arrays = {"raw.w": VALUES.astype(np.float32), "half.w": VALUES.astype(np.float16)}
    entries = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    flat = VALUES.ravel().tolist()
    entries.append(onnx.helper.make_tensor("list.w", onnx.TensorProto.FLOAT, [37, 11], flat))
    bf16 = onnx.TensorProto.BFLOAT16
    entries.append(onnx.helper.make_tensor("brain.w", bf16, [2, 2], [1.0, 2.0, 3.0, 4.0]))
    graph = onnx.helper.make_graph([], "g", [], [], initializer=entries)
    model = onnx.helper.make_model(graph)
    onnx.save(model, tmp_path / "m.onnx")
    found = measured(tmp_path / "m.onnx")
    for name, array in {**arrays, "list.w": arrays["raw.w"]}.items():
        assert found[name] == pytest.approx(squares(array), rel=1e-7)
    assert found["brain.w"] == 30
    onnx.save(
        model, tmp_path / "x.onnx", save_as_external_data=True, location="x.data",
        size_threshold=0,
    )  # fmt: skip
    assert measured(tmp_path / "x.onnx") == pytest.approx(found)


def test_real_hdf5_values_are_measured(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    monkeypatch.setattr(keras_files, "PIECE", 256)
    with h5py.File(tmp_path / "m.weights.h5", "w") as root:
        root["layers/dense/vars/0"] = VALUES.astype(np.float32)
        root["layers/dense/vars/1"] = VALUES[0].astype(np.float32)
        root.create_dataset("layers/conv/vars/0", data=VALUES, compression="gzip", chunks=(5, 4))
        root["layers/dropout/seed_generator/vars/0"] = np.ones(2, np.uint32)
        root["optimizer/vars/0"] = VALUES
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.write(tmp_path / "m.weights.h5", "model.weights.h5")
    for name in ("m.weights.h5", "m.keras"):
        found = measured(tmp_path / name)
        assert len(found) == 3
        assert found["layers/conv/vars/kernel"] == pytest.approx(squares(VALUES), rel=1e-7)
        dense = squares(VALUES.astype(np.float32))
        assert found["layers/dense/vars/kernel"] == pytest.approx(dense, rel=1e-7)


def test_real_hdf5_values_in_other_files_are_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "other").write_bytes(bytes(64))
    with h5py.File(tmp_path / "m.h5", "w") as root:
        root.create_dataset("a/vars/0", (4, 2), "f8", external=[(str(tmp_path / "other"), 0, 64)])
    with pytest.raises(UnreadableFileError, match="keeps its values in other files"):
        open_checkpoint(str(tmp_path / "m.h5"))
    with h5py.File(tmp_path / "m.h5", "w") as root:
        root["a/vars/0"] = h5py.ExternalLink("/etc/hosts", "x")
        root["b/vars/0"] = VALUES
        root["c/vars/0"] = h5py.Empty("f4")
    assert list(measured(tmp_path / "m.h5")) == ["b/vars/kernel"]


def test_real_gguf_values_are_measured_unless_quantised(tmp_path):
    gguf = pytest.importorskip("gguf")
    kinds = gguf.GGMLQuantizationType

    def save(name, tensors):
        writer = gguf.GGUFWriter(tmp_path / name, "llama")
        for label, array, kind in tensors:
            writer.add_tensor(label, gguf.quants.quantize(array, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return tmp_path / name

    values = RANDOM.normal(size=(8, 64)).astype(np.float32)
    found = measured(
        save("m.gguf", [("a.weight", values, kinds.F32), ("b.weight", values, kinds.F16),
                        ("c.weight", values, kinds.BF16)])
    )  # fmt: skip
    assert found["a.weight"] == pytest.approx(squares(values), rel=1e-7)
    assert found["b.weight"] == pytest.approx(squares(values.astype(np.float16)), rel=1e-7)
    assert math.isclose(found["c.weight"], squares(values), rel_tol=1e-2)
    with pytest.raises(UnreadableFileError, match=r"'a.weight' has values of Q8_0, which are not"):
        measured(save("q.gguf", [("a.weight", values, kinds.Q8_0)]))
