"""A user's own conventions: what a TOML file may say, and every way in which it can be wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.algebra.monomial_text import parse_monomial
from decaycalc.algebra.quantity import QUANTITIES, Monomial
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Coupling, Follows
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.convert import convert
from decaycalc.errors import (
    ContradictionError,
    DecaycalcError,
    InvalidValueError,
    TextSyntaxError,
    UnknownNameError,
    UnreadableFileError,
)
from decaycalc.files.toml_text import TomlSyntaxError
from decaycalc.user_conventions import load_conventions

OWN = {
    "key": "my-adamw",
    "parameter": "wd",
    "shrink": "lr*wd/2",
    "optimizer": "adam",
    "update": "w = w*(1 - lr*wd/2); w = w - lr*adam(g)",
    "source": "trainer/optim.py, line 12",
}


def toml(value):
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def table(fields, head="[[convention]]"):
    """Return one TOML table of fields; None leaves a field out."""
    lines = [f"{name} = {toml(value)}" for name, value in fields.items() if value is not None]
    return "\n".join([head, *lines, ""])


@pytest.fixture
def load(tmp_path):
    """Return a function that writes fields to a file and loads it."""

    def load(*tables, head="[[convention]]"):
        file = tmp_path / "own.toml"
        file.write_text("\n".join(table({**OWN, **fields}, head) for fields in tables))
        return load_conventions(str(file))

    return load


def test_ten_lines_make_a_convention(load):
    (record,) = load({})
    assert record.shrink == Monomial.of("1/2", value=1, lr=1)
    assert (record.title, record.group) == ("my-adamw", "Your own")
    assert (record.coupling, record.follows) == (Coupling.DECOUPLED, Follows.LR)
    result = convert("0.1", source=record, target="pytorch-adamw", run=Run())
    assert (result.value, result.equivalence) == (0.05, "identical")
    assert find("My_AdamW", extra=(record,)) is record


def test_pyproject_holds_conventions_too(load):
    (record,) = load({}, head="[[tool.decaycalc.convention]]")
    assert record.key == "my-adamw"


def test_every_field_can_be_given(load):
    (record,) = load(
        {
            "title": "ours",
            "group": "Team",
            "aliases": ["ours"],
            "variant": "ours",
            "buffer": "inside",
            "has_momentum": False,
            "decays_after_step": False,
            "proximal": False,
            "follows": "lr",
            "loss": "batch-sum",
            "loss_unit": "squared-error",
            "defaults": {"eta": "1", "dampening": "momentum", "nbs": 64},
            "refinements": {"decay_mult": "decay_mult"},
            "default": 0.01,
            "exempt": "biases",
            "trap": "none",
            "verification": "executed: ours 1",
            "common": True,
        }
    )
    assert record.defaults == (("eta", "1"), ("dampening", "momentum"), ("nbs", "64"))
    assert record.refinements == (("decay_mult", Monomial.of(decay_mult=1)),)
    assert (record.default, record.loss, record.common) == ("0.01", Loss.BATCH_SUM, True)


def test_a_penalty_is_a_strength(load):
    (record,) = load(
        {
            "shrink": None,
            "strength": "2*wd/loss_scale",
            "optimizer": "any",
            "update": "minimise loss + wd*sum(w**2)",
        }
    )
    assert convert("1e-4", source=record, target="pytorch-sgd").value == 2e-4


def test_a_refusal_needs_no_formula(load):
    (record,) = load({"shrink": None, "refusal": "it grows", "update": "w = w*(1 + wd)"})
    assert record.refusal == "it grows"


def test_a_solver_s_objective_is_taken_at_its_word(load):
    fields = {"shrink": None, "strength": "1/(wd*N)", "optimizer": "fit", "default": "none"}
    (record,) = load({**fields, "update": "minimise wd*sum(loss) + sum(w**2)/2"})
    assert convert("0.3", source=record, target="sklearn-logistic").value == 0.3


def fields_of(record):
    """Return a record of the catalogue as the fields of a TOML table."""
    words = ("coupling", "buffer", "follows", "optimizer", "variant", "loss_unit", "compounds")
    flags = ("has_momentum", "decays_after_step", "proximal")
    texts = ("title", "parameter", "update", "source", "refusal", "estimate", "since", "until")
    fields = {name: getattr(record, name) or None for name in (*words, *texts)}
    fields |= {name: getattr(record, name) for name in flags}
    fields |= {"key": f"own-{record.key}", "loss": record.loss, "defaults": dict(record.defaults)}
    fields["refinements"] = {name: by.format() for name, by in record.refinements}
    for name in ("strength", "shrink"):
        monomial = getattr(record, name)
        fields[name] = monomial and monomial.format({"value": record.parameter})
    return fields


def test_the_catalogue_can_be_written_as_toml(load):
    written = [record for record in conventions() if record.form is None][::4]
    for record, own in zip(written, load(*map(fields_of, written)), strict=True):
        same = ("strength", "shrink", "refusal", "update", "defaults", "refinements", "loss")
        assert all(getattr(own, name) == getattr(record, name) for name in same)


WRONG = [
    ({"defaults": {"lr": [1]}}, InvalidValueError, "must be a number"),
    ({"key": "My AdamW"}, InvalidValueError, "lower-case words joined by hyphens"),
    ({"key": "pytorch-sgd"}, ContradictionError, "'pytorch-sgd' is there already"),
    ({"aliases": ["ng"]}, ContradictionError, "'ng' is there already"),
    ({"aliases": "ng"}, InvalidValueError, "must be a list of names"),
    ({"parameter": "lr"}, InvalidValueError, "must be a name that no quantity has"),
    ({"parameter": "w d"}, InvalidValueError, "must be a name"),
    ({"source": None}, InvalidValueError, "'source' is missing"),
    ({"source": " "}, InvalidValueError, "must be a text of one line"),
    ({"source": 3}, InvalidValueError, "must be a text of one line"),
    ({"shrnk": "lr*wd"}, UnknownNameError, "field in .*'shrnk'; did you mean 'shrink'"),
    ({"shrink": None}, InvalidValueError, "must have one of strength, shrink, form and refusal"),
    ({"shrink": "lr*w"}, TextSyntaxError, r"character 4: expected a number, wd, or a quantity"),
    ({"shrink": "lr"}, InvalidValueError, "must depend on its own value"),
    ({"shrink": "lr*wd"}, ContradictionError, "removes 0.0005 of a weight .* says 0.001"),
    ({"coupling": "coupled"}, ContradictionError, "a strength is coupled, a shrink is decoupled"),
    ({"coupling": "loose"}, InvalidValueError, "must be one of coupled, decoupled, measure"),
    ({"follows": "me"}, InvalidValueError, "must be one of lr, multiplier"),
    ({"loss_unit": "metres"}, InvalidValueError, "must be one of half-squared-error"),
    ({"proximal": "yes"}, InvalidValueError, "must be true or false"),
    ({"default": -1}, InvalidValueError, "must not be negative"),
    ({"default": True}, InvalidValueError, "must be a number"),
    ({"default": "x"}, InvalidValueError, "is not a number"),
    ({"compounds": "steps_"}, UnknownNameError, "did you mean 'steps'"),
    ({"defaults": {"nb": "64"}}, UnknownNameError, "did you mean 'nbs'"),
    ({"defaults": "nbs"}, InvalidValueError, "must be a table of quantities"),
    ({"refinements": {"eta": "1/0"}}, TextSyntaxError, "something other than 0"),
    ({"update": "w = w*(1 - lr*wd"}, TextSyntaxError, "update rule"),
    ({"update": "w = w*(1 - lr)"}, InvalidValueError, "does not read wd"),
    ({"update": "w = w*(1 - lr*wd*momntum)"}, UnknownNameError, "did you mean 'momentum'"),
]


@pytest.mark.parametrize(("fields", "error", "message"), WRONG)
def test_what_is_wrong_is_named(load, fields, error, message):
    with pytest.raises(error, match=message):
        load(fields)


def test_an_error_names_its_table(load):
    with pytest.raises(InvalidValueError, match=r"follows of convention 2 of .*own.toml \(mine\)"):
        load({}, {"key": "mine", "follows": "me"})


def test_two_tables_cannot_share_a_key(load):
    with pytest.raises(ContradictionError, match="'my-adamw' is there already"):
        load({}, {})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "holds no"),
        (b"convention = 3", "holds no"),
        (b"[tool.decaycalc]\nx = 1", "holds no"),
        (b"tool = 3", "holds no"),
        (b"\xff", "is not UTF-8"),
        (b"#" * ((1 << 20) + 1), "larger than 1 MiB"),
    ],
)
def test_an_unreadable_file_says_why(tmp_path, data, reason):
    file = tmp_path / "own.toml"
    file.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=reason):
        load_conventions(str(file))


def test_a_file_that_is_no_toml_says_where(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("[[convention]")
    with pytest.raises(
        TomlSyntaxError, match=r"own\.toml:1:13: not TOML: Expected '\]\]' at the end"
    ):
        load_conventions(str(file))


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(UnreadableFileError, match="No such file"):
        load_conventions(str(tmp_path / "none.toml"))


def test_a_table_is_no_number(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("convention = [3]")
    with pytest.raises(InvalidValueError, match="must be a table of fields"):
        load_conventions(str(file))


READ = [
    ("2*l2/loss_scale", Monomial.of(2, value=1, loss_scale=-1)),
    ("2·value / loss_scale", Monomial.of(2, value=1, loss_scale=-1)),
    ("1/(l2·N)", Monomial.of(1, value=-1, dataset_size=-1)),
    ("l2*sqrt(B/(N*E))", Monomial.of(1, value=2, batch_size=1, dataset_size=-1, epochs=-1, root=2)),
    ("l2**2*lr^-1", Monomial.of(1, value=2, lr=-1)),
    ("l2^(1/2)", Monomial.of(1, value=1, root=2)),
    ("l2^(-1/2)", Monomial.of(1, value=-1, root=2)),
    ("l2/sd(y)", Monomial.of(1, value=1, target_std=-1)),
    ("l2*(1 - l1_ratio)", Monomial.of(1, value=1, one_minus_l1_ratio=1)),
    ("l2*(1*N)", Monomial.of(1, value=1, dataset_size=1)),
    ("0.5e-2*l2", Monomial.of("1/200", value=1)),
    (".5*l2", Monomial.of("1/2", value=1)),
    ("1E+2*l2", Monomial.of(100, value=1)),
    ("B_accumulated*l2/nbs", Monomial.of(1, value=1, nominal_batch=1, nbs=-1)),
]


@pytest.mark.parametrize(("text", "monomial"), READ)
def test_a_formula_is_read_exactly(text, monomial):
    assert parse_monomial(text, parameter="l2") == monomial


def test_every_formula_of_the_catalogue_reads_back():
    for record in conventions():
        if record.monomial is not None:
            text = record.monomial.format({"value": record.parameter})
            assert parse_monomial(text, parameter=record.parameter) == record.monomial


BROKEN = [
    ("", 0, "a number"),
    ("l2 +", 3, r"\*, /, \^ or the end"),
    ("l2*", 3, "a number"),
    ("(l2", 3, r"'\)'"),
    ("sqrt(l2", 7, r"'\)'"),
    ("(1 - lr)", 5, "momentum or dampening or l1_ratio"),
    ("(1 - momentum", 13, r"'\)'"),
    ("l2^0", 3, "an exponent other than 0"),
    ("l2^13", 3, "an exponent other than 0, up to 12"),
    ("l2^(1/0)", 4, "an exponent"),
    ("l2^(1/2", 7, r"'\)'"),
    ("l2^x", 3, "a whole number"),
    ("l2^123", 3, "a whole number"),
    ("1.2.3*l2", 0, "a number"),
    ("1e*l2", 0, "a number"),
    ("l2/0", 3, "something other than 0"),
    ("0*l2", 0, "something other than 0"),
    ("(" * 30 + "l2", 21, "fewer brackets"),
    ("Bx*l2", 0, "a number, l2, or a quantity"),
]


@pytest.mark.parametrize(("text", "position", "expected"), BROKEN)
def test_a_broken_formula_points_at_its_fault(text, position, expected):
    with pytest.raises(TextSyntaxError, match=expected) as caught:
        parse_monomial(text, parameter="l2")
    assert caught.value.position == position


def test_a_number_beyond_float64_is_refused():
    with pytest.raises(InvalidValueError, match="must be finite"):
        parse_monomial("1e999*l2", parameter="l2")


letters = st.sampled_from([*"0123456789.·*/^()- ", "l2", "lr", "sqrt(", "N", "e", *QUANTITIES])


@given(text=st.lists(letters, max_size=12).map("".join))
def test_any_text_is_a_monomial_or_an_error_of_ours(text):
    try:
        monomial = parse_monomial(text, parameter="l2")
    except DecaycalcError:
        return
    assert parse_monomial(monomial.format({"value": "l2"}), parameter="l2") == monomial
