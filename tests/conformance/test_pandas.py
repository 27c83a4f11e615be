"""Our JSON lines and CSV as pandas reads and writes them."""

import io
import subprocess
import sys

import pytest

pandas = pytest.importorskip("pandas")


def decaycalc(*words, stdin):
    done = subprocess.run(
        [sys.executable, "-m", "decaycalc", *words], input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode()


FRAME = pandas.DataFrame(
    {
        "name": ["Grüße", 'a "quoted", name', "two\nlines", ""],
        "value": [1e-4, 5e-4, 0.1, 3.3e-05],
        "count": [1, 2, 3, 4],
    }
)
WORDS = ("convert", "--from", "caffe", "--to", "keras-l2", "--input", "-")


def test_json_lines_go_round():
    text = FRAME.to_json(orient="records", lines=True, force_ascii=False)
    frame = pandas.read_json(io.StringIO(decaycalc(*WORDS, stdin=text.encode())), lines=True)
    pandas.testing.assert_frame_equal(frame[list(FRAME)], FRAME)
    assert list(frame["result"]) == [5e-05, 2.5e-04, 0.05, 1.65e-05]


def test_csv_goes_round():
    text = FRAME.to_csv(index=False)
    out = decaycalc(*WORDS, "--input-format", "csv", stdin=text.encode())
    frame = pandas.read_csv(io.StringIO(out), keep_default_na=False, float_precision="round_trip")
    pandas.testing.assert_frame_equal(frame[list(FRAME)], FRAME)
    assert list(frame["result"]) == [5e-05, 2.5e-04, 0.05, 1.65e-05]
    assert set(frame["result_equivalence"]) == {"identical"}


def test_a_series_is_an_array():
    import decaycalc as package

    result = package.convert(FRAME["value"], source="caffe", target="keras-l2")
    assert list(result.value) == list(FRAME["value"] / 2)


def test_rows_of_a_document_make_a_frame():
    out = decaycalc("convert", "5e-4", "--from", "caffe", "--format", "csv", stdin=b"")
    frame = pandas.read_csv(io.StringIO(out))
    assert frame.loc[frame["convention"] == "keras-l2", "value"].item() == 0.00025
