"""check --format sarif against SARIF 2.1.0 itself: a model made from the official schema.

Source: pydantic-sarif, datamodel-codegen of OASIS's sarif-schema-2.1.0.json; unknown keys are
refused by it.
"""

import pytest

from decaycalc.cli.main import main

sarif = pytest.importorskip("pydantic_sarif.model")

FILES = {
    "my run.yaml": "opt: adam\nlr: 0.001\nweight_decay: 0.05\nepochs: 3\n",
    "assertions.toml": '[a]\nvalue = 1\nfrom = "caffe"\nto = "keras-l2"\nequals = 3\n',
}


@pytest.mark.parametrize("argv", [
    ("my run.yaml", "--kind", "timm"), ("assertions.toml",), ("resnet-50-he",),
])  # fmt: skip
def test_a_log_is_valid_and_its_results_have_their_rules(argv, tmp_path, monkeypatch, capsys):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    main(["check", *argv, "--format", "sarif"])
    model = sarif.StaticAnalysisResultsFormatSarifVersion210JsonSchema
    (run,) = model.model_validate_json(capsys.readouterr().out).runs
    assert run.results
    assert {each.ruleId for each in run.results} == {rule.id for rule in run.tool.driver.rules}
