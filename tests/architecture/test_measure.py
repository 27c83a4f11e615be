import io
import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from decaycalc.architecture import measure as module
from decaycalc.architecture.measure import EIGHT_BITS, eight_bit_squares, measure
from decaycalc.architecture.readers import open_checkpoint
from decaycalc.errors import UnreadableFileError

RANDOM = np.random.default_rng(3)


def save(folder, arrays, dtypes, *, lead=b""):
    """Write a safetensors file of raw arrays; `lead` bytes before them misalign the rest."""
    header, data = {}, lead
    if lead:
        header["lead"] = {"dtype": "U8", "shape": [len(lead)], "data_offsets": [0, len(lead)]}
    for name, array in arrays.items():
        raw = array.tobytes()
        header[name] = {
            "dtype": dtypes[name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    path = folder / "m.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return str(path)


def measured(path):
    return {result.name: result.sum_of_squares for result in measure(open_checkpoint(path))}


def bf16(values):
    return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


@pytest.mark.parametrize("lead", [b"", b"x", b"xyz"])
def test_sums_of_squares_of_all_formats_are_exact(tmp_path, monkeypatch, lead):
    monkeypatch.setattr(module, "WINDOW", 4096)
    values = RANDOM.normal(size=(37, 101))
    arrays = {
        "f64": values,
        "f32": values.astype(np.float32),
        "f16": values.astype(np.float16),
        "bf16": bf16(values),
        "e4m3": RANDOM.integers(0, 126, (37, 101), dtype=np.uint8),
        "empty": np.zeros((0, 3), np.float32),
    }
    dtypes = {
        "f64": "F64",
        "f32": "F32",
        "f16": "F16",
        "bf16": "BF16",
        "e4m3": "F8_E4M3",
        "empty": "F32",
    }
    sums = measured(save(tmp_path, arrays, dtypes, lead=lead))
    for name in ("f64", "f32", "f16"):
        exact = float(np.sum(arrays[name].astype(np.float64) ** 2))
        assert sums[name] == pytest.approx(exact, rel=1e-7)
    wide = (arrays["bf16"].astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    assert sums["bf16"] == pytest.approx(float(np.sum(wide**2)), rel=1e-7)
    assert sums["e4m3"] == pytest.approx(float(eight_bit_squares("F8_E4M3")[arrays["e4m3"]].sum()))
    assert sums["empty"] == 0


@pytest.mark.parametrize("value", [0.1, 0.3, 1 / 3, 1e-30, 1e-20, 3e19, 0.0, 0.7777])
def test_equal_weights_whose_rounding_is_all_alike_stay_within_the_bound(tmp_path, value):
    array = np.full(100_003, value, np.float32)
    exact = float(array[0].astype(np.float64) ** 2) * array.size
    got = measured(save(tmp_path, {"w": array}, {"w": "F32"}))["w"]
    assert got == pytest.approx(exact, rel=1e-7, abs=0)


def test_without_row_products_the_sum_is_the_same(tmp_path, monkeypatch):
    array = RANDOM.normal(size=5000).astype(np.float32)
    path = save(tmp_path, {"w": array}, {"w": "F32"})
    monkeypatch.delattr(np, "vecdot", raising=False)
    assert measured(path)["w"] == pytest.approx(float(np.sum(array.astype(float) ** 2)), rel=1e-12)


def test_progress_reports_every_byte_once(tmp_path):
    arrays = {"a": np.ones(70_000, np.float32), "b": np.ones(9, np.float64)}
    checkpoint = open_checkpoint(save(tmp_path, arrays, {"a": "F32", "b": "F64"}))
    done = []
    results = measure(checkpoint, progress=done.append)
    assert sum(done) == 280_072
    assert results[0].rms == 1
    assert [result.n_weights for result in results] == [70_000, 9]
    assert module.MeasuredTensor(name="x", n_weights=0, sum_of_squares=0.0).rms is None


@pytest.mark.parametrize(
    ("dtype", "code", "value"),
    [
        ("F8_E4M3", 0x7E, 448.0),
        ("F8_E4M3", 0x38, 1.0),
        ("F8_E4M3", 0x01, 2.0**-9),
        ("F8_E5M2", 0x7B, 57344.0),
        ("F8_E5M2", 0x01, 2.0**-16),
        ("F8_E4M3FNUZ", 0x7F, 240.0),
        ("F8_E5M2FNUZ", 0x7F, 57344.0),
        ("F8_E5M2FNUZ", 0x84, 2.0**-15),
    ],
)
def test_eight_bit_codes_have_their_values(dtype, code, value):
    assert eight_bit_squares(dtype)[code] == value**2


def test_eight_bit_codes_that_are_no_numbers():
    assert set(EIGHT_BITS) == {"F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"}
    assert np.isnan(eight_bit_squares("F8_E4M3")[[0x7F, 0xFF]]).all()
    assert np.isinf(eight_bit_squares("F8_E5M2")[0x7C])
    assert np.isnan(eight_bit_squares("F8_E4M3FNUZ")[0x80])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, bad):
    array = np.ones(1000, np.float32)
    array[500] = bad
    with pytest.raises(UnreadableFileError, match="'w' holds values that are not finite"):
        measured(save(tmp_path, {"w": array}, {"w": "F32"}))


def test_values_too_large_to_square_are_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="not finite"):
        measured(save(tmp_path, {"w": np.full(3, 1e200)}, {"w": "F64"}))


def test_packed_formats_are_not_measured(tmp_path):
    array = np.zeros(4, np.uint8)
    with pytest.raises(UnreadableFileError, match="values of F8_E8M0"):
        measured(save(tmp_path, {"w": array}, {"w": "F8_E8M0"}))


def test_a_file_that_shrinks_meanwhile_is_refused(tmp_path):
    path = save(tmp_path, {"w": np.ones(9000, np.float32)}, {"w": "F32"})
    checkpoint = open_checkpoint(path)
    with open(path, "r+b") as stream:  # noqa: PTH123 - a path as the user types it
        stream.truncate(100)
    with pytest.raises(UnreadableFileError, match="changed while being read"):
        measure(checkpoint)


def test_the_shards_of_a_checkpoint_are_read_side_by_side(tmp_path, monkeypatch):
    places = {}
    for name in ("a.weight", "b.weight"):
        saved = Path(save(tmp_path, {name: np.ones((4, 5), np.float32)}, {name: "F32"}))
        places[name] = saved.rename(tmp_path / f"{name}.safetensors").name
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    both = threading.Barrier(2, timeout=20)  # passed by two at once only
    read = module._window

    def meet(path, *rest):
        both.wait()
        return read(path, *rest)

    monkeypatch.setattr(module, "_available_cores", lambda: 2)
    monkeypatch.setattr(module, "_window", meet)
    assert measured(str(index)) == {"a.weight": 20, "b.weight": 20}


@pytest.mark.parametrize("compressed", [False, True])
def test_archived_arrays_are_measured(tmp_path, monkeypatch, compressed):
    monkeypatch.setattr(module, "PIECE", 4096)
    array = RANDOM.normal(size=(50, 60)).astype(np.float32)
    path = tmp_path / "m.npz"
    (np.savez_compressed if compressed else np.savez)(path, w=array)
    assert measured(str(path))["w"] == pytest.approx(float(np.sum(array.astype(float) ** 2)))
    np.save(tmp_path / "m.npy", array)
    # Read in other pieces, whose sums numpy 1 adds in another order.
    assert measured(str(tmp_path / "m.npy"))["array"] == pytest.approx(
        measured(str(path))["w"], rel=1e-13
    )


def damaged(folder, *, at, fill, compressed=True):
    """Write an archive of one array with bytes overwritten after its header was checked."""
    stream = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    raw = io.BytesIO()
    np.save(raw, RANDOM.normal(size=20_000))
    with zipfile.ZipFile(stream, "w", kind) as archive:
        archive.writestr("w.npy", raw.getvalue())
    path = folder / "m.npz"
    path.write_bytes(stream.getvalue())
    checkpoint = open_checkpoint(str(path))
    data = bytearray(stream.getvalue())
    data[at : at + len(fill)] = fill
    path.write_bytes(data)
    return checkpoint


def test_a_damaged_archive_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="data are damaged"):
        measure(damaged(tmp_path, at=60, fill=b"\xff" * 4000))
    with pytest.raises(UnreadableFileError, match="damaged: Bad CRC"):
        measure(damaged(tmp_path, at=5000, fill=b"\0" * 8, compressed=False))


def test_an_archive_that_ends_too_early_is_refused(tmp_path):
    checkpoint = damaged(tmp_path, at=0, fill=b"")
    raw = io.BytesIO()
    np.save(raw, np.ones(3))
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("w.npy", raw.getvalue())
    with pytest.raises(UnreadableFileError, match="ends too early"):
        measure(checkpoint)


def test_an_error_of_the_program_is_not_taken_for_a_damaged_file(tmp_path):
    def broken(_n_bytes):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        measure(damaged(tmp_path, at=0, fill=b""), progress=broken)
