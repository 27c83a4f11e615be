import io
import json
import os
import sys
import types
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

from decaycalc.architecture import parse_architecture
from decaycalc.architecture.readers import bounds, open_checkpoint, read_architecture
from decaycalc.architecture.readers.listing import pairs_of_json
from decaycalc.architecture.tensors import Role
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import (
    DecaycalcError,
    InvalidValueError,
    MissingExtraError,
    UnknownNameError,
    UnreadableFileError,
)
from decaycalc.files.toml_text import TomlSyntaxError
from tests.architecture.counting import count_decayed

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "U8": 1, "F8_E4M3": 1}


def safetensors(tensors, *, metadata=None, pad=8):
    """Return the bytes of a file with zeros for values."""
    header, end = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (dtype, shape) in tensors.items():
        size = SIZES[dtype] * int(np.prod(shape))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % pad)
    return len(text).to_bytes(8, "little") + text + bytes(end)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


TENSORS = {
    "model.embed_tokens.weight": ("BF16", [10, 4]),
    "model.layers.0.mlp.up_proj.weight": ("F32", [8, 4]),
    "model.layers.0.mlp.up_proj.bias": ("F16", [8]),
    "model.norm.weight": ("F32", [4]),
    "bn.running_mean": ("F32", [4]),
    "bn.num_batches_tracked": ("I64", []),
    "position_ids": ("I64", [1, 4]),
    "attn.bias": ("F32", [1, 1, 4, 4]),
    "head.weight": ("F8_E4M3", [3, 4]),
}


def test_a_safetensors_header_gives_names_shapes_and_roles(tmp_path):
    path = write(tmp_path, "m.safetensors", safetensors(TENSORS, metadata={"format": "pt"}))
    net = parse_architecture(path)
    assert net.n_parameters == 40 + 32 + 8 + 4 + 12
    roles = {tensor.name: tensor.role for tensor in net.tensors}
    assert roles["model.embed_tokens.weight"] is Role.EMBEDDING
    assert roles["model.norm.weight"] is Role.NORM
    assert roles["model.layers.0.mlp.up_proj.bias"] is Role.BIAS
    assert count_decayed(net) == 40 + 32 + 12
    assert net.tensors[1].init_variance == 2 / 4


def test_a_sharded_checkpoint_is_the_sum_of_its_shards(tmp_path):
    write(tmp_path, "a.safetensors", safetensors({"x.weight": ("F32", [2, 3])}))
    write(tmp_path, "b.safetensors", safetensors({"y.weight": ("F32", [5, 3])}))
    index = {"weight_map": {"x.weight": "a.safetensors", "y.weight": "b.safetensors"}}
    path = write(tmp_path, "model.safetensors.index.json", json.dumps(index))
    assert parse_architecture(path).n_parameters == 21
    assert len(open_checkpoint(path).stored) == 2
    other = write(tmp_path, "index.json", json.dumps(index))
    assert parse_architecture(other).n_parameters == 21


@pytest.mark.parametrize(
    ("index", "text"),
    [
        ({"weight_map": {"x.weight": "a.safetensors", "z": "a.safetensors"}}, "listed but in no"),
        ({"weight_map": {"x": "../a.safetensors"}}, "no file name beside"),
        ({"weight_map": {"x": 3}}, "no file name beside"),
        ({"weight_map": {"x": "missing.safetensors"}}, "No such file"),
        ({"weight_map": {}}, "no weight_map"),
        ([], "no weight_map"),
    ],
)
def test_an_index_that_disagrees_with_its_shards_is_refused(tmp_path, index, text):
    write(tmp_path, "a.safetensors", safetensors({"x.weight": ("F32", [2, 3])}))
    path = write(tmp_path, "m.safetensors.index.json", json.dumps(index))
    with pytest.raises(UnreadableFileError, match=text):
        parse_architecture(path)


def test_an_index_names_each_tensor_of_its_shards_and_not_too_many_shards(tmp_path, monkeypatch):
    tensors = {"x.weight": ("F32", [2, 3]), "y.weight": ("F32", [2, 3])}
    write(tmp_path, "a.safetensors", safetensors(tensors))
    index = {"weight_map": {"x.weight": "a.safetensors"}}
    path = write(tmp_path, "m.safetensors.index.json", json.dumps(index))
    with pytest.raises(UnreadableFileError, match="in a shard but not listed"):
        parse_architecture(path)
    monkeypatch.setattr("decaycalc.architecture.readers.safetensors.MOST_SHARDS", 0)
    with pytest.raises(UnreadableFileError, match="more than 0 shards"):
        parse_architecture(path)


def test_of_a_terabyte_in_shards_only_the_headers_are_read(tmp_path, monkeypatch):
    ends = []

    @contextmanager
    def watched(path):
        with bounds.opened(path) as (stream, size):
            yield stream, size
            ends.append(stream.tell())

    monkeypatch.setattr("decaycalc.architecture.readers.safetensors.opened", watched)
    layers, width, shards = 64, 16_384, 8
    places = {}
    for shard in range(shards):
        header, end, name = {}, 0, f"model-{shard}.safetensors"
        for index in range(layers // shards):
            for part in ("q", "k", "v", "o", "up", "gate", "down", "extra"):
                tensor = f"layers.{shard * 8 + index}.{part}.weight"
                rows = width * 2 if part in {"up", "gate", "down"} else width
                size = 4 * rows * width * 3 // 2
                shape = [rows * 3 // 2, width]
                header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
                places[tensor], end = name, end + size
        text = json.dumps(header).encode()
        with (tmp_path / name).open("wb") as stream:
            stream.write(len(text).to_bytes(8, "little") + text)
            stream.truncate(8 + len(text) + end)
    path = write(tmp_path, "m.safetensors.index.json", json.dumps({"weight_map": places}))
    total = sum((tmp_path / name).stat().st_size for name in set(places.values()))
    net = parse_architecture(path)
    assert total > 1e12
    assert len(ends) == shards
    assert max(ends) < 10_000
    assert len(net.tensors) == 512


def header_file(header, data=b"", *, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return size.to_bytes(8, "little") + text + data


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HOSTILE_SAFETENSORS = {
    "empty": (b"", "shorter than"),
    "no header": (b"\x10\0\0\0\0\0\0\0", "past the file's end"),
    "truncated header": (header_file({"a": ONE}, bytes(8))[:20], "past the file's end"),
    "header past the end": (header_file(b"{}", length=10**6), "past the file's end"),
    "huge header": (header_file(b"{}", length=2**63), "100 MB at most"),
    "not UTF-8": (header_file(b'{"\xff": 1}'), "not UTF-8"),
    "not JSON": (header_file(b"{'a': 1}"), "not JSON"),
    "a list": (header_file([]), "no JSON object"),
    "deep": (header_file(b'{"a":' * 50_000 + b"1" + b"}" * 50_000), "too deeply"),
    "NaN": (header_file(b'{"a": NaN}'), "NaN is not a number"),
    "duplicate keys": (header_file(b'{"a": 1, "a": 2}'), "stands twice"),
    "long number": (header_file(b'{"a": ' + b"1" * 5000 + b"}"), "not JSON"),
    "tensor no object": (header_file({"a": 1}), "no JSON object"),
    "unknown dtype": (header_file({"a": {**ONE, "dtype": "F1"}}, bytes(8)), "has dtype 'F1'"),
    "dtype no text": (header_file({"a": {**ONE, "dtype": [1]}}, bytes(8)), "has dtype"),
    "negative size": (header_file({"a": {**ONE, "shape": [-2]}}, bytes(8)), "list of sizes"),
    "shape no list": (header_file({"a": {**ONE, "shape": "2"}}, bytes(8)), "list of sizes"),
    "huge sizes": (
        header_file({"a": {**ONE, "shape": [10**400, 10**400]}}, bytes(8)),
        "goes past 64 sizes",
    ),
    "hundreds of sizes": (header_file({"a": {**ONE, "shape": [9**9] * 65}}, b""), "goes past 64"),
    "wrong bytes": (header_file({"a": {**ONE, "shape": [3]}}, bytes(8)), "other than"),
    "backwards": (header_file({"a": {**ONE, "data_offsets": [8, 0]}}, bytes(8)), "no sound"),
    "three offsets": (header_file({"a": {**ONE, "data_offsets": [0, 8, 9]}}, bytes(8)), "no sound"),
    "overlap": (header_file({"a": ONE, "b": ONE}, bytes(8)), "overlap"),
    "hole": (header_file({"a": {**ONE, "data_offsets": [8, 16]}}, bytes(16)), "leave a hole"),
    "past the data": (header_file({"a": ONE}, bytes(4)), "the file has 4"),
    "more data": (header_file({"a": ONE}, bytes(9)), "the file has 9"),
    "nothing": (header_file({}), "no trained tensor"),
}


@pytest.mark.parametrize("case", HOSTILE_SAFETENSORS)
def test_a_hostile_safetensors_file_is_refused_in_one_line(tmp_path, case):
    content, text = HOSTILE_SAFETENSORS[case]
    path = write(tmp_path, "m.safetensors", content)
    with pytest.raises(UnreadableFileError) as caught:
        parse_architecture(path)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absurdly_large_tensor_is_refused(tmp_path):
    path = write(tmp_path, "shapes.json", json.dumps({"w": [10**9, 10**9]}))
    with pytest.raises(InvalidValueError, match="shape of tensor"):
        parse_architecture(path)


def test_what_is_no_regular_file_is_refused_unopened(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "folder.npz").mkdir()
    for name, text in (
        ("pipe.safetensors", "not a regular file"),
        ("folder.npz", "a directory"),
        ("missing.json", "No such file"),
        ("x" * 5000 + ".csv", "too long"),
    ):
        with pytest.raises(UnreadableFileError, match=text):
            parse_architecture(str(tmp_path / name))
    with pytest.raises(UnreadableFileError, match="null"):
        read_architecture("a\0b.json")
    with pytest.raises(UnknownNameError):
        parse_architecture("a\0b")


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    def denied(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    paths = [write(tmp_path, name, b"x") for name in ("m.safetensors", "m.npz", "m.npy", "m.csv")]
    monkeypatch.setattr("pathlib.Path.open", denied)
    monkeypatch.setattr("builtins.open", denied)
    for path in paths:
        with pytest.raises(UnreadableFileError, match="Permission denied"):
            read_architecture(path)


def test_a_pickle_is_never_loaded(tmp_path):
    for name in ("model.pt", "pytorch_model.bin", "model.pth"):
        with pytest.raises(UnreadableFileError, match="export it: safetensors"):
            parse_architecture(write(tmp_path, name, b"\x80\x04"))
    with pytest.raises(UnreadableFileError, match="unknown kind of file"):
        parse_architecture(write(tmp_path, "model.xyz", b""))


LISTS = {
    "object.json": '{"fc.weight": [10, 4], "fc.bias": [10]}',
    "pairs.json": '[["fc.weight", [10, 4]], ["fc.bias", [10]]]',
    "records.json": '[{"name": "fc.weight", "shape": [10, 4]}, {"name": "fc.bias", "shape": 10}]',
    "tensors.json": '{"name": "net", "classes": 10, '
    '"tensors": {"fc.weight": "10x4", "fc.bias": "10"}}',
    "parameters.json": '{"parameters": [["fc.weight", "(10, 4)"], ["fc.bias", "(10,)"]]}',
    "lines.jsonl": '["fc.weight", [10, 4]]\n\n{"name": "fc.bias", "shape": [10]}\n',
    "plain.csv": 'fc.weight,10x4\nfc.bias,"10"\n',
    "header.csv": 'shape,name\n"[10, 4]",fc.weight\n"(10,)",fc.bias\n',
    "tabs.tsv": "name\tshape\trole\nfc.weight\ttorch.Size([10, 4])\t\nfc.bias\t10\tbias\n",
    "table.toml": '[tensors]\n"fc.weight" = [10, 4]\n"fc.bias" = [10]\n',
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_names_and_shapes_is_read(tmp_path, name):
    net = parse_architecture(write(tmp_path, name, LISTS[name]))
    assert [(tensor.name, tensor.shape, tensor.role) for tensor in net.tensors] == [
        ("fc.weight", (10, 4), Role.WEIGHT),
        ("fc.bias", (10,), Role.BIAS),
    ]
    if name == "tensors.json":
        assert (net.name, net.n_classes) == ("net", 10)


def test_a_tree_of_names_is_read_as_flax_and_haiku_keep_it(tmp_path):
    flax = {
        "params": {
            "Dense_0": {"kernel": [3, 4], "bias": {"shape": [4], "dtype": "float32"}},
            "BatchNorm_0": {"scale": "4", "bias": [4]},
            "layers": {"0": {"kernel": [4, 2]}},
        },
        "batch_stats": {"BatchNorm_0": {"mean": [4], "var": [4]}},
        "__metadata__": {"format": "pt"},
    }
    read = read_architecture(write(tmp_path, "flax.json", json.dumps(flax)))
    assert {tensor.name: (tensor.shape, tensor.role) for tensor in read.tensors} == {
        "params/Dense_0/kernel": ((3, 4), Role.WEIGHT),
        "params/Dense_0/bias": ((4,), Role.BIAS),
        "params/BatchNorm_0/scale": ((4,), Role.NORM),
        "params/BatchNorm_0/bias": ((4,), Role.NORM),
        "params/layers/0/kernel": ((4, 2), Role.WEIGHT),
    }
    haiku = {"mlp/~/linear_0": {"w": [3, 4], "b": [4]}, "layers": {"1": {"w": [4, 2]}}}
    read = read_architecture(write(tmp_path, "haiku.json", json.dumps(haiku)))
    names = ["mlp/~/linear_0/w", "mlp/~/linear_0/b", "layers/1/w"]
    assert [tensor.name for tensor in read.tensors] == names
    torch = {"fc": {"weight": [3, 4], "bias": [3]}}
    read = read_architecture(write(tmp_path, "torch.json", json.dumps(torch)))
    assert [tensor.name for tensor in read.tensors] == ["fc.weight", "fc.bias"]


def test_a_tree_deeper_than_any_network_is_refused(tmp_path):
    deep = write(tmp_path, "deep.json", '{"a":' * 101 + "[1]" + "}" * 101)
    with pytest.raises(UnreadableFileError, match="nested deeper than 100"):
        read_architecture(deep)
    assert read_architecture(write(tmp_path, "s.json", '{"a":' * 100 + "[1]" + "}" * 100))


def test_a_list_gives_the_same_weights_as_the_zoo(tmp_path):
    for name in ("resnet18", "vit-tiny", "gpt2", "t5-small"):
        built = find_model(name)
        text = json.dumps([[tensor.name, list(tensor.shape)] for tensor in built.tensors])
        net = parse_architecture(write(tmp_path, f"{name}.json", text))
        assert net.n_parameters == built.n_parameters
        assert count_decayed(net) == count_decayed(built)


def test_the_document_of_arch_reads_back(tmp_path):
    text = json.dumps({"name": "n", "tensors": [{"name": "w", "shape": [2, 2], "role": "other"}]})
    net = parse_architecture(write(tmp_path, "arch.json", text))
    assert net.tensors[0].role is Role.OTHER


def test_the_roles_of_norms_embeddings_and_kernels_are_told_from_names(tmp_path):
    shapes = {
        "bn1.weight": [4], "bn1.bias": [4], "ln/scale": [4], "ln/bias": [4],
        "emb/embedding": [9, 4], "dense/kernel": [4, 7], "dense/bias": [7],
        "conv/kernel": [3, 3, 4, 8], "wpe.weight": [5, 4],
        "logit": [], "theta": [3], "norm.g": [4], "batchnorm.alpha": [4], "embed.proj": [4, 4],
        "embed_proj.weight": [4, 4],
    }  # fmt: skip
    net = parse_architecture(write(tmp_path, "shapes.json", json.dumps(shapes)))
    tensors = {tensor.name: tensor for tensor in net.tensors}
    roles = {name: tensor.role.value for name, tensor in tensors.items()}
    assert roles["bn1.bias"] == roles["ln/scale"] == roles["ln/bias"] == "norm"
    assert roles["norm.g"] == roles["batchnorm.alpha"] == "norm"
    assert roles["emb/embedding"] == "embedding"
    assert roles["embed_proj.weight"] == "weight"
    assert roles["wpe.weight"] == "position"
    assert roles["logit"] == roles["theta"] == "other"
    assert (tensors["dense/kernel"].fan_in, tensors["dense/kernel"].fan_out) == (4, 7)
    assert (tensors["conv/kernel"].fan_in, tensors["conv/kernel"].fan_out) == (36, 72)
    assert tensors["bn1.weight"].init_mean == 1
    assert tensors["bn1.bias"].init_mean == 0


BROKEN = {
    "a.json": ("3", "expected an object"),
    "b.json": ("[3]", "no name and shape"),
    "c.json": ('{"w": "4x"}x', "not JSON"),
    "d.json": ('{"w": "four"}', "sizes like 64x3"),
    "e.json": ('[["", [1]]]', "not a tensor's name"),
    "f.json": ("[[3, [1]]]", "not a tensor's name"),
    "g.json": ('[["w", [1]], ["w", [1]]]', "stands twice"),
    "h.json": ('[{"name": "w", "shape": [1], "role": "king"}]', "is none of"),
    "i.json": ("{}", "no trained tensor"),
    "j.json": ('{"w": true}', "list of sizes"),
    "k.json": (b"\xff\xfe", "not UTF-8"),
    "l.json": ("[" * 100_000, "too deeply"),
    "m.json": ('{"w": [Infinity]}', "not a number"),
    "a.jsonl": ("[1", "not JSON"),
    "a.csv": ("fc.weight\n", "lacks a name or a shape"),
    "b.csv": ("", "no trained tensor"),
    "c.csv": ('"' + "x" * 140_000 + '",2\n', "not CSV"),
    "a.toml": ("tensors = [", "not TOML"),
    "b.toml": ("x = " + "[" * 100_000, "too deeply"),
    "n.json": (json.dumps({"w": " ".join(["1"] * 70)}), "sizes like 64x3"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_list_is_refused_in_one_line(tmp_path, name):
    content, text = BROKEN[name]
    path = write(tmp_path, name, content)
    with pytest.raises((UnreadableFileError, TomlSyntaxError)) as caught:
        parse_architecture(path)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_texts_and_lists_have_bounds(tmp_path, monkeypatch):
    path = write(tmp_path, "a.csv", "w,1\nv,1\n")
    monkeypatch.setattr(bounds, "MOST_TENSORS", 1)
    with pytest.raises(UnreadableFileError, match="more than 1 tensors"):
        parse_architecture(path)


def test_json_comes_from_standard_input_too(monkeypatch):
    def stdin(content):
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(content)))

    stdin(b'{"fc.weight": [10, 4]}')
    assert parse_architecture("-").n_parameters == 40
    stdin(json.dumps({"model_type": "gpt2", "n_layer": 1}).encode())
    assert parse_architecture("-").n_classes == 50257
    stdin(b"")
    with pytest.raises(UnreadableFileError, match="'stdin'"):
        parse_architecture("-")


def test_a_configuration_file_is_a_model(tmp_path):
    config = {"model_type": "llama", "num_hidden_layers": 2, "architectures": ["LlamaForCausalLM"]}
    path = write(tmp_path, "config.json", json.dumps(config))
    assert parse_architecture(path).n_classes == 32000


LAYERS = """
name = "mine"
[[layers]]
type = "conv"
in = 3
out = 8
kernel = 3
[[layers]]
type = "norm"
[[layers]]
type = "conv"
out = 16
groups = 2
kernel = [1, 5]
bias = false
[[layers]]
type = "dense"
in = 64
out = 10
name = "head"
"""


def test_a_table_of_layers_is_a_network(tmp_path):
    net = parse_architecture(write(tmp_path, "net.toml", LAYERS))
    assert [(tensor.name, tensor.shape) for tensor in net.tensors] == [
        ("conv1.weight", (8, 3, 3, 3)),
        ("conv1.bias", (8,)),
        ("norm2.weight", (8,)),
        ("norm2.bias", (8,)),
        ("conv3.weight", (16, 4, 1, 5)),
        ("head.weight", (10, 64)),
        ("head.bias", (10,)),
    ]
    assert (net.name, net.n_classes) == ("mine", 10)


def test_recurrent_and_attention_layers_have_their_frameworks_tensors(tmp_path):
    layers = [
        {"type": "embedding", "in": 50, "out": 6},
        {"type": "lstm", "out": 4, "layers": 2, "bidirectional": True},
        {"type": "gru", "out": 3, "bias": False},
        {"type": "rnn", "out": 5},
        {"type": "attention", "kv": 2},
        {"type": "norm", "bias": False},
    ]
    net = parse_architecture(write(tmp_path, "net.json", json.dumps({"layers": layers})))
    shapes = {tensor.name: tensor.shape for tensor in net.tensors}
    assert shapes["lstm2.weight_ih_l0"] == (16, 6)
    assert shapes["lstm2.weight_ih_l1_reverse"] == (16, 8)
    assert shapes["lstm2.bias_hh_l1"] == (16,)
    assert shapes["gru3.weight_ih_l0"] == (9, 8)
    assert "gru3.bias_ih_l0" not in shapes
    assert shapes["rnn4.weight_ih_l0"] == (5, 3)
    assert shapes["attention5.k_proj.weight"] == (2, 5)
    assert "norm6.bias" not in shapes
    assert net.n_classes == 5


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ([], "list of 1 to"),
        ([3], "layer 1 is no table"),
        ([{"type": "dens", "out": 3}], "did you mean 'dense'"),
        ([{"type": "zzz"}], "one of dense"),
        ([{"type": "dense", "out": 3}], "needs in"),
        ([{"type": "dense", "in": 3}], "needs out"),
        ([{"type": "dense", "in": 3, "out": 2, "kernel": 3}], "dense knows"),
        ([{"type": "conv", "in": 3, "out": 2, "groups": 2}], "a divisor of 3 and 2"),
        ([{"type": "conv", "in": 3, "out": 2, "kernel": [1, 1, 1, 1]}], "up to three sizes"),
        ([{"type": "rnn", "in": 3, "out": 2, "layers": 10**6}], "at most 1000"),
    ],
)
def test_a_broken_layer_is_refused(tmp_path, layers, text):
    path = write(tmp_path, "net.json", json.dumps({"layers": layers}))
    with pytest.raises(UnreadableFileError, match=text):
        parse_architecture(path)


def save(folder, name="m.npz", *, compressed=False, **arrays):
    path = folder / name
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return str(path)


def test_arrays_of_numpy_are_read_by_their_headers(tmp_path):
    arrays = {"dense/kernel": np.ones((4, 7), np.float32), "dense/bias": np.zeros(7, np.float16)}
    net = parse_architecture(save(tmp_path, step=np.arange(3), **arrays))
    assert {tensor.name: tensor.shape for tensor in net.tensors} == {
        "dense/kernel": (4, 7), "dense/bias": (7,),
    }  # fmt: skip
    np.save(tmp_path / "one.npy", np.ones((2, 3)))
    assert parse_architecture(str(tmp_path / "one.npy")).n_parameters == 6


def test_other_members_of_an_archive_are_passed_over(tmp_path):
    path = save(tmp_path, w=np.ones((2, 2)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "hello")
    assert parse_architecture(path).n_parameters == 4


def npy(header, data=b"", *, version=1, length=None):
    text = header.encode("latin-1")
    size = len(text) if length is None else length
    width = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes((version, 0)) + size.to_bytes(width, "little") + text + data


SOUND = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
HOSTILE_NPY = {
    "empty": (b"", "does not begin"),
    "other magic": (b"x" * 20, "does not begin"),
    "long header": (npy(SOUND, version=2, length=2**31), "header claims"),
    "no literal": (npy("{'descr': __import__('os')}"), "malformed"),
    "deep": (npy("[" * 30_000), "malformed"),
    "no dictionary": (npy("[1]"), "malformed"),
    "objects": (npy(SOUND.replace("<f4", "|O")), "has dtype"),
    "records": (npy(SOUND.replace("'<f4'", "[('a', '<f4')]")), "has dtype"),
    "big-endian": (npy(SOUND.replace("<f4", ">f4")), "has dtype"),
    "negative": (npy(SOUND.replace("(2,)", "(-2,)")), "list of sizes"),
    "short data": (npy(SOUND, bytes(7)), "other than its shape"),
}


@pytest.mark.parametrize("case", HOSTILE_NPY)
def test_a_hostile_array_is_refused(tmp_path, case):
    content, text = HOSTILE_NPY[case]
    with pytest.raises(UnreadableFileError, match=text):
        parse_architecture(write(tmp_path, "m.npy", content))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("w.npy", content)
    with pytest.raises(UnreadableFileError, match=text):
        parse_architecture(write(tmp_path, "m.npz", stream.getvalue()))


def test_a_sound_array_of_the_second_version_is_read(tmp_path):
    path = write(tmp_path, "m.npy", npy(SOUND, bytes(8), version=2))
    assert parse_architecture(path).n_parameters == 2


def test_a_hostile_archive_is_refused(tmp_path):
    good = io.BytesIO()
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr("w.npy", npy(SOUND, bytes(8)))
    content = good.getvalue()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(100 * 2**20))
    huge = bytearray(content)
    end = huge.rfind(b"PK\x05\x06")
    huge[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    wide = bytearray(content[:end] + b"PK\x06\x06" + bytes(36) + (2**40).to_bytes(8, "little"))
    wide += bytes(8) + bytearray(content[end:])
    at = wide.rfind(b"PK\x05\x06")
    wide[at + 12 : at + 16] = (2**32 - 1).to_bytes(4, "little")
    cases = [
        (b"", "no end record"),
        (content[:-10], "no end record"),
        (bomb.getvalue(), "would grow to"),
        (bytes(huge), "directory claims 2147483648"),
        (bytes(wide), "directory claims 1099511627776"),
        (content[:30] + b"\0" * 20 + content[50:], "not a zip archive"),
    ]
    for index, (data, text) in enumerate(cases):
        with pytest.raises(UnreadableFileError, match=text):
            parse_architecture(write(tmp_path, f"{index}.npz", data))


def test_a_format_behind_an_extra_says_how_to_get_it(tmp_path, monkeypatch):
    for module in ("onnx", "h5py", "yaml"):
        monkeypatch.setitem(sys.modules, module, None)
    for name, extra in (
        ("m.onnx", "onnx"),
        ("m.keras", "keras-files"),
        ("m.h5", "keras-files"),
        ("net.yaml", "yaml"),
    ):
        with pytest.raises(MissingExtraError, match=rf"decaycalc\[{extra}\]"):
            parse_architecture(write(tmp_path, name, b"x"))


def fake(monkeypatch, name, **content):
    monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(**content))


def test_onnx_initialisers_of_real_numbers_are_read(tmp_path, monkeypatch):
    entry = types.SimpleNamespace
    graph = entry(
        initializer=[
            entry(name="fc.weight", dims=[10, 4], data_type=1, data_location=0),
            entry(name="shape", dims=[2], data_type=7, data_location=0),
        ]
    )
    fake(monkeypatch, "onnx", load=lambda _path, **_more: entry(graph=graph))
    assert parse_architecture(write(tmp_path, "m.onnx", b"x")).n_parameters == 40

    def broken(_path, **_more):
        raise ValueError

    fake(monkeypatch, "onnx", load=broken)
    with pytest.raises(UnreadableFileError, match="not an ONNX model: ValueError"):
        parse_architecture(write(tmp_path, "m.onnx", b"x"))


class Dataset:
    external, is_virtual, chunks = None, False, None

    def __init__(self, *shape, dtype="float32"):
        self.shape, self.dtype = shape, dtype


class H5:
    """Stands in for an open HDF5 file."""

    content: dict

    def __init__(self, *_args):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        return None

    def visititems(self, visit):
        for name, node in self.content.items():
            visit(name, node)


NUMBERED = {
    "layers/dense": object(),
    "layers/dense/vars/0": Dataset(4, 7),
    "layers/dense/vars/1": Dataset(7),
    "layers/batch_normalization/vars/0": Dataset(7),
    "layers/batch_normalization/vars/1": Dataset(7),
    "layers/batch_normalization/vars/2": Dataset(7),
    "layers/batch_normalization/vars/3": Dataset(7),
    "layers/layer_normalization/vars/0": Dataset(7),
    "layers/layer_normalization/vars/1": Dataset(7),
    "layers/embedding/vars/0": Dataset(9, 4),
    "layers/lstm/cell/vars/0": Dataset(4, 12),
    "layers/lstm/cell/vars/1": Dataset(3, 12),
    "layers/lstm/cell/vars/2": Dataset(12),
    "layers/gru_1/cell/vars/0": Dataset(6, 15),
    "layers/gru_1/cell/vars/1": Dataset(5, 15),
    "layers/gru_1/cell/vars/2": Dataset(2, 15),
    "layers/multi_head_attention/key_dense/vars/0": Dataset(8, 2, 4),
    "layers/multi_head_attention/key_dense/vars/1": Dataset(2, 4),
    "layers/batch_normalization_1/vars/0": Dataset(9),  # with center or scale off
    "layers/batch_normalization_1/vars/1": Dataset(9),
    "layers/batch_normalization_1/vars/2": Dataset(9),
    "layers/layer_scale_7/vars/0": Dataset(11),
    "layers/p_re_lu/vars/0": Dataset(13),
    "layers/normalization/vars/0": Dataset(3),
    "layers/normalization/vars/1": Dataset(3),
    "layers/normalization/vars/2": Dataset(dtype="int32"),
    "normalization/vars/0": Dataset(17),  # a user's name for a norm with a gain alone
    "layers/dropout/seed_generator/vars/0": Dataset(2, dtype="uint32"),
    "optimizer/vars/0": Dataset(99),
}


def test_keras_weights_are_read_without_statistics_and_state(tmp_path, monkeypatch):
    fake(monkeypatch, "h5py", Dataset=Dataset, File=H5)
    H5.content = NUMBERED
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("model.weights.h5", b"x")
    net = parse_architecture(write(tmp_path, "m.keras", stream.getvalue()))
    shapes = {tensor.name: (tensor.shape, tensor.role.value) for tensor in net.tensors}
    assert shapes["layers/dense/vars/kernel"] == ((4, 7), "weight")
    assert shapes["layers/dense/vars/bias"] == ((7,), "bias")
    assert shapes["layers/batch_normalization/vars/gamma"] == ((7,), "norm")
    assert shapes["layers/embedding/vars/kernel"] == ((9, 4), "embedding")
    assert shapes["layers/lstm/cell/vars/kernel1"] == ((3, 12), "weight")
    assert shapes["layers/gru_1/cell/vars/bias"] == ((2, 15), "bias")
    assert shapes["layers/multi_head_attention/key_dense/vars/bias"] == ((2, 4), "bias")
    assert shapes["layers/layer_scale_7/vars/layer_scale"][1] != "norm"
    assert shapes["layers/p_re_lu/vars/alpha"][1] != "norm"
    assert shapes["normalization/vars/gamma"] == ((17,), "norm")
    earlier = 28 + 7 + 14 + 14 + 36 + 48 + 36 + 12
    assert net.n_parameters == earlier + 90 + 75 + 30 + 64 + 8 + 9 + 11 + 13 + 17
    H5.content = {"model_weights/dense/dense/kernel:0": Dataset(4, 7)}
    legacy = parse_architecture(write(tmp_path, "m.h5", b"x"))
    assert legacy.tensors[0].name == "model_weights/dense/dense/kernel"


def test_a_file_that_is_no_keras_model_is_refused(tmp_path, monkeypatch):
    def broken(*_args):
        raise OSError("unable to open file")

    fake(monkeypatch, "h5py", Dataset=Dataset, File=broken)
    with pytest.raises(UnreadableFileError, match="not a Keras model: unable"):
        parse_architecture(write(tmp_path, "m.h5", b"x"))
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("other", b"x")
    with pytest.raises(UnreadableFileError, match="not a Keras model"):
        parse_architecture(write(tmp_path, "m.keras", empty.getvalue()))


def test_yaml_layers_are_read_but_not_its_aliases(tmp_path, monkeypatch):
    class YAMLError(Exception):
        pass

    def load(text, Loader):  # noqa: N803  (as it is called)
        loaders.append(Loader)
        if text == "broken":
            raise YAMLError
        return json.loads(text)

    loaders = []
    fake(monkeypatch, "yaml", load=load, YAMLError=YAMLError, SafeLoader="pure")
    text = json.dumps({"layers": [{"type": "dense", "in": 3, "out": 2}]})
    assert parse_architecture(write(tmp_path, "net.yaml", text)).n_parameters == 8
    with pytest.raises(UnreadableFileError, match="not YAML"):
        parse_architecture(write(tmp_path, "net.yml", "broken"))
    with pytest.raises(UnreadableFileError, match="anchors and aliases"):
        parse_architecture(write(tmp_path, "net.yml", "a: &x [*x]"))
    with pytest.raises(UnreadableFileError, match="larger than 262144 bytes"):
        parse_architecture(write(tmp_path, "net.yml", " " * (2**18 + 1)))
    fake(monkeypatch, "yaml", load=load, YAMLError=YAMLError, CSafeLoader="C", SafeLoader="pure")
    assert parse_architecture(write(tmp_path, "net.yml", text + " " * 2**18)).n_parameters == 8
    assert loaders == ["pure", "pure", "C"]


@pytest.mark.parametrize("text", ["nosuchmodel", "784-300.x", "%%%", "resnet 51 x"])
def test_what_is_neither_name_nor_file_nor_widths_is_refused(text):
    with pytest.raises(DecaycalcError) as caught:
        parse_architecture(text)
    assert "\n" not in str(caught.value)


def test_a_file_without_an_ending_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "notes", b"")
    with pytest.raises(UnreadableFileError, match="unknown kind"):
        parse_architecture("notes")
    write(tmp_path, "3.csv", "w,2\n")
    assert parse_architecture("3.csv").n_parameters == 2


def test_numbers_of_thousands_of_digits_are_refused_in_one_line(tmp_path):
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load("0x10") == 16
    for name, text in (
        ("n.yaml", "a: [0x" + "f" * 5000 + ", x]"),
        ("n.toml", "a = [1" + "0" * 5000),
    ):
        with pytest.raises(DecaycalcError) as caught:
            parse_architecture(write(tmp_path, name, text))
        assert len(str(caught.value)) < 400


def test_names_that_cannot_be_written_out_are_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="surrogate"):
        parse_architecture(write(tmp_path, "x.json", r'{"\ud800": [3, 4]}'))
    with pytest.raises(UnreadableFileError, match="not text that can be written"):
        pairs_of_json({"\ud800": [3, 4]}, "x.yaml")


def test_a_configuration_may_hold_infinity_where_it_is_not_read(tmp_path):
    """Mamba 2's own configurations do; a size that is read is still refused."""
    limits = '{"model_type": "mamba2", "num_hidden_layers": 1, "time_step_limit": [0.0, Infinity]}'
    assert parse_architecture(write(tmp_path, "config.json", limits)).n_parameters > 1
    with pytest.raises(UnreadableFileError, match="hidden_size is inf"):
        parse_architecture(
            write(tmp_path, "config.json", '{"model_type": "gpt_neox", "hidden_size": Infinity}')
        )


def test_a_key_twice_among_many_takes_no_time(tmp_path):
    text = "{" + ",".join(f'"w{index}":[1]' for index in range(150_000)) + ',"w0":[1]}'
    with pytest.raises(UnreadableFileError, match="'w0' stands twice"):
        parse_architecture(write(tmp_path, "m.json", text))


def test_a_safetensors_header_of_countless_tensors_is_refused_unparsed(tmp_path):
    header = b"{" + b'"data_offsets"' * 200_001 + b"}"
    path = write(tmp_path, "m.safetensors", len(header).to_bytes(8, "little") + header)
    with pytest.raises(UnreadableFileError, match="more than 200000 tensors"):
        parse_architecture(path)


def test_an_archives_members_are_bounded_together(tmp_path):
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(4):
            archive.writestr(f"w{index}.npy", bytes(20 * 2**20))
    with pytest.raises(UnreadableFileError, match="its members would grow to 83886080 bytes"):
        parse_architecture(str(path))


def test_an_archives_members_may_not_share_their_bytes(tmp_path):
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", bytes(5000))
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\x01\x02")
    data[start + 20 : start + 24] = (10_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match="its members overlap"):
        parse_architecture(str(path))
