"""The table, the JSON record and the atomic file."""

import dataclasses
import io
import json

import pytest
from rich.console import Console

from verification import report
from verification.claim import Evidence, Result, Verdict
from verification.claims import CLAIMS
from verification.run import Settings, verdict

AGREES = Evidence("quadrature", Verdict.SUPPORTED, 2, 8, 1e-16, 1e-12)
NOISY = Evidence("sampling", Verdict.SUPPORTED, 1, 4, 1.5, 6.2, "standard errors", 1.0, 0.0075)
DISAGREES = dataclasses.replace(AGREES, verdict=Verdict.REFUTED, deviation=0.01, detail="at w = [1 2]: formula 1")
CRASHED = Evidence("sampling", Verdict.ERROR, detail="RuntimeError: no value")


def result(*evidence: Evidence) -> Result:
    return Result(CLAIMS[0], evidence, verdict(evidence))


def text(*results: Result) -> str:
    stream = io.StringIO()
    report.show(results, Settings(), 1.0, Console(file=stream, width=report.PIPE_WIDTH))
    return stream.getvalue()


def test_an_error_prevails_over_a_refutation_over_agreement():
    assert verdict([AGREES, NOISY]) is Verdict.SUPPORTED
    assert verdict([AGREES, DISAGREES]) is Verdict.REFUTED
    assert verdict([DISAGREES, CRASHED]) is Verdict.ERROR


def test_no_evidence_is_an_error():
    assert verdict([]) is Verdict.ERROR


def test_the_table_says_what_each_method_found_and_would_have_found():
    shown = text(result(AGREES, NOISY))
    assert CLAIMS[0].id in shown
    assert "1e-16" in shown
    assert "1.5 se" in shown
    assert "0.75 %" in shown


def test_a_refutation_comes_with_its_counterexample():
    assert "at w = [1 2]: formula 1" in text(result(DISAGREES))


def test_an_error_comes_with_its_message():
    assert "RuntimeError: no value" in text(result(CRASHED))


@pytest.mark.parametrize(
    ("evidence", "ending"),
    [(AGREES, "1 supported; all as expected."), (DISAGREES, f"1 refuted; NOT as expected: {CLAIMS[0].id}.")],
)
def test_the_last_line_says_what_happened(evidence, ending):
    assert text(result(evidence)).rstrip().endswith(ending)


def test_the_record_has_its_schema():
    record = report.as_json([result(AGREES, NOISY)], Settings(), 1.0)
    assert record["schema"] == 2
    assert set(record) == {"schema", "settings", "seconds", "as_expected", "claims"}
    (claim,) = record["claims"]
    assert set(claim) == {
        *("id", "statement", "source", "assumptions", "verdict", "expected", "as_expected", "wrong_twins", "evidence")
    }
    assert set(claim["evidence"][0]) == {field.name for field in dataclasses.fields(Evidence)}


def test_infinities_are_null_in_json():
    record = report.as_json([result(dataclasses.replace(NOISY, deviation=float("inf")))], Settings(), 1.0)
    assert json.loads(json.dumps(record, allow_nan=False))["claims"][0]["evidence"][0]["deviation"] is None


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "results.json"
    report.write(path, {"schema": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        report.write(path, {"schema": float("nan")})
    assert json.loads(path.read_text()) == {"schema": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
