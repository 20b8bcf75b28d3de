"""Running: processes that may die, results that are kept, interruptions."""

import dataclasses
import json

import numpy as np
import pytest

from tests.verification.run import fragile_claims as fragile
from verification.checks import Measurement
from verification.claim import Evidence, Verdict
from verification.run import carry_out as run
from verification.run import fingerprint
from verification.run.carry_out import Settings, folders
from verification.run.examine import Finding, as_record, from_record

WHERE = "tests.verification.run.fragile_claims"
CHEAP = Settings(samples=2**14, points=1)


def test_a_process_that_dies_is_an_error_of_its_check_alone():
    results = run.run(fragile.CLAIMS, CHEAP, jobs=2, where=WHERE)
    assert {r.claim.id: r.verdict for r in results} == fragile.EXPECTED
    assert results[0].evidence[0].detail == "the process that carried it out ended with exit code 7"
    assert "RuntimeError: no value" in results[2].evidence[0].detail


def watched(claims, keep, **options):
    seen = []
    results = run.run(claims, CHEAP, seen.append, keep=keep, where=WHERE, **options)
    return results, [(outcome.claim.id, outcome.kept) for outcome in seen]


def test_a_kept_result_is_not_computed_again_unless_asked(tmp_path):
    keep = folders(tmp_path)
    first, _ = watched([fragile.SOUND], keep)
    second, seen = watched([fragile.SOUND], keep)
    assert seen == [("fragile/sound", True)]
    assert second == first
    assert watched([fragile.SOUND], keep, fresh=True)[1] == [("fragile/sound", False)]


def test_an_error_is_not_kept(tmp_path):
    keep = folders(tmp_path)
    watched([fragile.CLAIMS[2]], keep)
    assert watched([fragile.CLAIMS[2]], keep)[1] == [("fragile/raises", False)]


def test_a_damaged_result_is_computed_again_with_a_note(tmp_path, capsys):
    keep = folders(tmp_path)
    watched([fragile.SOUND], keep)
    (path,) = (tmp_path / "results").iterdir()
    path.write_text(path.read_text().replace("supported", "proved"))
    results, seen = watched([fragile.SOUND], keep)
    assert seen == [("fragile/sound", False)]
    assert results[0].verdict is Verdict.SUPPORTED
    assert "damaged" in capsys.readouterr().err


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    keep = folders(tmp_path)

    def interrupt(_):
        raise KeyboardInterrupt

    sound = [fragile.SOUND, fragile.CLAIMS[3]]
    with pytest.raises(KeyboardInterrupt):
        run.run(sound, CHEAP, interrupt, keep=keep, where=WHERE)
    assert watched(sound, keep)[1] == [("fragile/sound", True), ("fragile/sound-too", False)]
    assert not list(tmp_path.rglob("*.part"))


def test_other_settings_and_other_sources_have_other_fingerprints(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    for name, text in {"__init__": "", "a": "from . import b\n", "b": "from .c import x\n", "c": "x = 1\n"}.items():
        (tmp_path / "package" / f"{name}.py").write_text(text)
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)

    def found(*settings) -> str:
        for cached in (fingerprint.closure, fingerprint._content):
            cached.cache_clear()
        return fingerprint.fingerprint({"package.a"}, *settings)

    before = found(1)
    assert found(1) == before
    assert found(2) != before
    (tmp_path / "package" / "c.py").write_text("x = 2\n")
    assert found(1) != before
    for cached in (fingerprint.closure, fingerprint._content):
        cached.cache_clear()


def test_a_result_depends_on_the_claim_and_on_the_formulas_it_states():
    known = set(fingerprint.closure(frozenset({"verification.claims.one_neuron.values", "verification.run.examine"})))
    needed = {
        "verification.statements.one_neuron",
        "verification.checks.sampling",
        "sobolev_theory.closed_forms.single_neuron",
        "sobolev_theory.geometry.angles",
    }
    assert needed <= known
    assert "verification.claims.networks" not in known
    assert "verification.report" not in known


MEASURED = Measurement(np.array([1.0, np.inf]), np.array([0.5, 0.0]), 0.25, 2, 64, 0.1, 0.2, "at", 1, 2**17)


@pytest.mark.parametrize(
    "found", [Evidence("ball", Verdict.CERTIFIED, 1, 2, detail="x", vectors={"w": (0.1, 0.2)}), MEASURED]
)
def test_a_finding_survives_its_record(found):
    finding = Finding("method", found, {"sign": True}, 0.5)
    text = json.dumps(as_record(finding), default=lambda array: array.tolist())
    again = from_record(json.loads(text))
    assert dataclasses.replace(again, found=None) == dataclasses.replace(finding, found=None)
    if isinstance(found, Evidence):
        assert again.found == found
    else:
        for kept, was in zip(again.found, found, strict=True):
            np.testing.assert_array_equal(kept, was)
