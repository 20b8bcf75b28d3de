"""The table, the JSON record and the atomic file."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from verification import store
from verification.claim import Evidence, Result, Verdict
from verification.claims import CLAIMS
from verification.report import table as report
from verification.run.carry_out import Settings, verdict

AGREES = Evidence("quadrature", Verdict.SUPPORTED, 2, 8, 1e-16, 1e-12)
PROVES = Evidence("symbolic", Verdict.PROVED, components=3)
GAP = dataclasses.replace(PROVES, verdict=Verdict.OPEN, detail="steps that do not hold: limit")
NOISY = Evidence("sampling", Verdict.SUPPORTED, 1, 4, 1.5, 6.2, "standard errors", 1.0, 0.0075)
DISAGREES = dataclasses.replace(AGREES, verdict=Verdict.REFUTED, deviation=0.01, detail="at w = [1 2]: formula 1")
WITH_TWINS = dataclasses.replace(AGREES, twins={"sign": True, "exchanged": False})
COST = report.Cost(1.0, 3)
SCHEMA = json.loads((Path(report.__file__).parent / "schema.json").read_text())
CRASHED = Evidence("sampling", Verdict.ERROR, detail="RuntimeError: no value")


def result(*evidence: Evidence) -> Result:
    return Result(CLAIMS[0], evidence, verdict(evidence))


def text(*results: Result) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=report.PIPE_WIDTH)
    report.show_checks(results, console)
    report.show_findings(results, Settings(), COST, console)
    return stream.getvalue()


def test_an_error_prevails_over_a_refutation_over_agreement():
    assert verdict([AGREES, NOISY]) is Verdict.SUPPORTED
    assert verdict([AGREES, DISAGREES]) is Verdict.REFUTED
    assert verdict([DISAGREES, CRASHED]) is Verdict.ERROR


def test_a_gap_in_a_proof_leaves_the_claim_open_whatever_else_agrees():
    assert verdict([PROVES, AGREES]) is Verdict.PROVED
    assert verdict([PROVES, AGREES, GAP]) is Verdict.OPEN
    assert not result(PROVES, GAP).as_expected
    assert verdict([GAP, DISAGREES]) is Verdict.REFUTED


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


def findings(*results: Result, page: Path | None = None) -> list[str]:
    stream = io.StringIO()
    report.show_findings(results, Settings(), COST, Console(file=stream, width=report.PIPE_WIDTH), page)
    return stream.getvalue().splitlines()


def test_what_was_found_by_all_claims_is_ten_lines_with_the_refuted_by_name_and_the_page():
    every = [
        Result(claim, (DISAGREES if claim.expected is Verdict.REFUTED else AGREES,), claim.expected)
        for claim in CLAIMS
    ]
    lines = findings(*every, page=Path("output/page.html"))
    refuted = {claim.id for claim in CLAIMS if claim.expected is Verdict.REFUTED}
    assert len(lines) <= 10
    assert refuted <= set(" ".join(lines).replace(",", "").replace(".", "").split())
    assert any("output/page.html" in line for line in lines)
    assert lines[-1].endswith("all as expected.")


def test_what_is_not_as_expected_is_told_with_its_reason_also_without_the_table():
    assert any("at w = [1 2]: formula 1" in line for line in findings(result(DISAGREES)))
    assert any("the wrong twin exchanged" in line for line in findings(result(WITH_TWINS)))


def test_a_wrong_twin_that_is_not_refuted_is_not_as_expected():
    found = result(WITH_TWINS)
    assert not found.as_expected
    assert "not refuted: the wrong twin exchanged (quadrature)" in text(found)
    assert "Wrong twins: 1 of 2 attacks refute." in text(found)


def test_the_last_lines_say_what_was_known_before():
    assert "(3 known from earlier runs)" in text(result(AGREES))


def fits(value, schema) -> list[str]:
    """What of a JSON value does not fit the schema, for the keywords that schema.json uses."""
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    wrong = []
    if "const" in schema and value != schema["const"]:
        wrong.append(f"{value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{value!r} is none of {schema['enum']}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(IS[kind](value) for kind in kinds):
        return [*wrong, f"{value!r} is no {kinds}"]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        wrong += [f"{key} is missing" for key in schema.get("required", []) if key not in value]
        wrong += [f"{key} is unknown" for key in value if key not in known and others is False]
        for key, inner in value.items():
            wrong += fits(inner, known.get(key, others if isinstance(others, dict) else {}))
    if isinstance(value, list):
        wrong += [fault for inner in value for fault in fits(inner, schema.get("items", {}))]
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        wrong.append(f"{value} < {schema['minimum']}")
    return wrong


IS = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def test_the_record_fits_its_schema():
    vectors = {"w": (1.0, 2.0)}
    found = [result(WITH_TWINS, NOISY), result(dataclasses.replace(DISAGREES, vectors=vectors)), result(CRASHED)]
    record = json.loads(json.dumps(report.as_json(found, Settings(), COST), allow_nan=False))
    assert fits(record, SCHEMA) == []
    assert set(SCHEMA["$defs"]["evidence"]["properties"]) == {field.name for field in dataclasses.fields(Evidence)}


def test_the_schema_refuses_what_does_not_fit():
    record = report.as_json([result(AGREES)], Settings(), COST)
    record["claims"][0]["evidence"][0]["verdict"] = "true"
    del record["settings"]["seed"]
    assert fits({**record, "more": 1}, SCHEMA) == [
        "more is unknown",
        "seed is missing",
        *fits("true", {"$ref": "verdict"}),
    ]


def test_infinities_are_null_in_json():
    record = report.as_json([result(dataclasses.replace(NOISY, deviation=float("inf")))], Settings(), COST)
    assert json.loads(json.dumps(record, allow_nan=False))["claims"][0]["evidence"][0]["deviation"] is None


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "results.json"
    report.write(path, {"schema": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        report.write(path, {"schema": float("nan")})
    assert json.loads(path.read_text()) == {"schema": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


# What is kept between runs.


def test_the_store_gives_back_what_it_was_given(tmp_path):
    kept = store.Store(tmp_path, "prefix-")
    kept.write("name", {"x": [0.1, float("inf")], "text": "é"})
    assert kept.read("name") == {"x": [0.1, float("inf")], "text": "é"}
    assert kept.read("other") is None
    assert [p.name for p in tmp_path.iterdir()] == ["prefix-name.json"]


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-3], lambda text: text.replace("0.5", "0.6"), lambda _: "\x00"]
)
def test_a_damaged_record_is_none_and_said_so(tmp_path, capsys, damage):
    kept = store.Store(tmp_path)
    kept.write("name", {"x": 0.5})
    path = tmp_path / "name.json"
    path.write_text(damage(path.read_text()))
    assert kept.read("name") is None
    assert "is damaged and is computed again" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    assert store.opened(tmp_path / "file" / "folder") is None
