"""GGUF files, written here byte by byte."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest

from decaycalc.architecture.measure import measure
from decaycalc.architecture.readers import gguf as reader
from decaycalc.architecture.readers import open_checkpoint
from decaycalc.errors import UnreadableFileError

VALUES = np.arange(12, dtype="<f4").reshape(3, 4)


def text(data):
    return struct.pack("<Q", len(data)) + data


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def tensor(name, shape, kind, offset):
    dims = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
    return text(name) + dims + struct.pack("<IQ", kind, offset)


def header(n_tensors, n_pairs, *, version=3):
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_pairs)


@pytest.fixture
def save(tmp_path):
    def write(*parts):
        path = tmp_path / "m.gguf"
        path.write_bytes(b"".join(parts))
        return str(path)

    return write


def padded(data, alignment=32):
    return data + bytes(-len(data) % alignment)


PAIRS = (
    pair(b"general.architecture", 8, text(b"llama")),
    pair(b"tokens", 9, struct.pack("<IQ", 8, 2) + text(b"a") + text(b"bc")),
    pair(b"scores", 9, struct.pack("<IQ", 6, 3) + bytes(12)),
    pair(b"flag", 7, b"\1"),
    pair(b"general.alignment", 4, struct.pack("<I", 64)),
)


def test_values_are_measured_in_their_place(save):
    head = header(3, len(PAIRS)) + b"".join(PAIRS)
    head += tensor(b"a.weight", (3, 4), 0, 0) + tensor(b"b.weight", (3, 4), 1, 64)
    head += tensor(b"ids", (3,), 26, 128)
    data = padded(VALUES.tobytes(), 64) + padded(VALUES.astype("<f2").tobytes(), 64) + bytes(12)
    checkpoint = open_checkpoint(save(padded(head, 64), data))
    assert [t.shape for t in checkpoint.architecture.tensors] == [(3, 4), (3, 4)]
    assert [each.sum_of_squares for each in measure(checkpoint)] == [506, 506]


def test_quantised_values_are_named_and_not_measured(save):
    head = header(1, 0) + tensor(b"a.weight", (8, 32), 8, 0)
    checkpoint = open_checkpoint(save(padded(head), bytes(272)))
    with pytest.raises(UnreadableFileError, match="has values of Q8_0, which are not measured"):
        measure(checkpoint)
    strange = header(1, 0) + tensor(b"a.weight", (8, 32), 77, 0)
    assert open_checkpoint(save(padded(strange), bytes(64))).stored[0].dtype == "kind 77"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((b"GGML" + bytes(40),), "does not begin as one"),
        ((b"GG",), "it claims 4 bytes where 2 are left"),
        ((header(0, 0, version=9),), "version 9"),
        ((header(2**40, 0), bytes(99)), "claims 1099511627776 tensors"),
        ((header(0, 2**40), bytes(99)), "claims 1099511627776 values"),
        ((header(0, 1), pair(b"k", 9, struct.pack("<IQ", 0, 2**40))), "1099511627776 values"),
        ((header(0, 1), pair(b"k", 9, struct.pack("<IQ", 8, 2**40))), "1099511627776 values"),
        ((header(0, 1), pair(b"k", 9, struct.pack("<IQ", 9, 1)), bytes(8)), "of kind 9"),
        ((header(0, 1), pair(b"k", 8, struct.pack("<Q", 2**62))), "where 0 are left"),
        ((header(0, 1), pair(b"k", 99, b"")), "of kind 99"),
        ((header(0, 1), struct.pack("<Q", 2**20), bytes(9)), "a name of 1048576 bytes"),
        ((header(0, 1), pair(b"general.alignment", 4, bytes(4))), "alignment is 0"),
        ((header(1, 0), tensor(b"\xff", (2,), 0, 0)), "is not UTF-8"),
        ((header(1, 0), tensor(b"a", (1,) * 5, 0, 0)), "has 5 dimensions"),
        ((header(1, 0), tensor(b"a", (2**63, 2), 0, 0)), "goes past 64 sizes"),
        ((header(1, 0), tensor(b"a.w", (2, 2), 0, 0)), "goes past the end of its"),
    ],
)
def test_a_header_that_claims_what_the_file_does_not_hold_is_refused(save, parts, words):
    with pytest.raises(UnreadableFileError, match=words):
        open_checkpoint(save(*parts))


def test_more_tensors_than_any_network_has_are_refused(save, monkeypatch):
    monkeypatch.setattr(reader, "MOST_TENSORS", 1)
    with pytest.raises(UnreadableFileError, match="more than 1 tensors"):
        open_checkpoint(save(header(2, 0), bytes(99)))


def test_a_file_that_shrinks_or_vanishes_is_refused(save, monkeypatch):
    path = save(header(0, 1))
    monkeypatch.setattr(reader.os, "fstat", lambda _number: SimpleNamespace(st_size=99))
    with pytest.raises(UnreadableFileError, match="ends too early"):
        open_checkpoint(path)

    def fail(*_):
        raise OSError(5, "broken disk")

    monkeypatch.setattr(reader, "_read", fail)
    with pytest.raises(UnreadableFileError, match="broken disk"):
        open_checkpoint(path)
