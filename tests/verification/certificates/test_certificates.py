"""Certificates: whole domains, wrong inequalities that must not pass, a re-check that refuses what is tampered."""

import dataclasses
import json
from fractions import Fraction as Q

import numpy as np
import pytest
from flint import arb, fmpq

from verification.balls import exact_ball, precision
from verification.certificates import (
    INEQUALITIES,
    WRONG,
    Inequality,
    RefusedError,
    certify,
    read,
    recheck,
    subdivide,
    write,
)
from verification.certificates.__main__ import main
from verification.certificates.enclosures import divided, divided_by_square, mean_value
from verification.certificates.recheck import FORMS, iv, refuse_unless_tiled
from verification.checks import Certified
from verification.claim import Verdict
from verification.claims import CLAIMS
from verification.run.settings import Settings

SMALL = "two-norm"  # a certificate of 38 boxes in two variables
TWINS = [(name, twin) for name in WRONG for twin in WRONG[name]]
CONTEXT = Settings(points=1).context()


def one_box(lower: int, upper: int, function) -> Inequality:
    return Inequality("x", "", "", ("x",), ((Q(lower), Q(upper)),), function)


# What is certified.


@pytest.mark.parametrize("name", INEQUALITIES)
def test_every_inequality_is_certified_and_checks_again(name):
    certificate, rechecked = certify(name)
    assert certificate.verdict is Verdict.CERTIFIED
    assert certificate.bound > 0
    assert rechecked >= len(certificate.boxes)


@pytest.mark.parametrize(("name", "twin"), TWINS, ids=[f"{name}-{twin}" for name, twin in TWINS])
def test_no_wrong_inequality_is_certified_and_a_counterexample_is_found(name, twin):
    """The counterexample is exact, lies in the domain, and the function is negative there at twice the precision."""
    wrong = WRONG[name][twin]
    certificate = subdivide(wrong)
    assert certificate.verdict is Verdict.REFUTED
    assert all(a <= x <= b for x, (a, b) in zip(certificate.failure, wrong.domain, strict=True))
    with precision(2 * certificate.precision):
        assert wrong.enclosure(*(exact_ball(x, x) for x in certificate.failure)) < 0
    with pytest.raises(RefusedError):
        recheck(certificate)


def test_every_inequality_has_a_second_form_and_a_wrong_twin():
    assert set(FORMS) == set(INEQUALITIES) == set(WRONG)


@pytest.mark.parametrize("name", INEQUALITIES)
def test_the_second_form_has_the_sign_of_the_first(name):
    """At random exact points one of the re-check's functions is positive, as the certified one is."""
    generator = np.random.default_rng(0)
    form, inequality = FORMS[name], INEQUALITIES[name]
    for _ in range(20):
        point = [a + (b - a) * Q(int(generator.integers(1, 1000)), 1000) for a, b in inequality.domain]
        with precision(80):
            assert inequality.enclosure(*(exact_ball(x, x) for x in point)) > 0
        assert any(v > 0 for v in form.positive(*(iv.mpf(x.numerator) / x.denominator for x in point)))


def test_certificates_survive_a_file(tmp_path):
    certificate, _ = certify(SMALL)
    path = tmp_path / "certificate.json"
    write(path, certificate)
    assert read(path) == certificate
    assert [file.name for file in tmp_path.iterdir()] == ["certificate.json"]


def test_another_schema_is_refused(tmp_path):
    path = tmp_path / "certificate.json"
    write(path, certify(SMALL)[0])
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "schema": 99}))
    with pytest.raises(ValueError, match="got schema 99"):
        read(path)


# The command.


def test_the_command_writes_every_certificate_and_confirms_the_files(tmp_path, capsys):
    assert main(["--write", str(tmp_path / "new")]) == 0
    files = sorted((tmp_path / "new").iterdir())
    assert {file.stem for file in files} == set(INEQUALITIES)
    capsys.readouterr()
    assert main([str(file) for file in files]) == 0
    assert capsys.readouterr().out.count("confirmed on") == len(INEQUALITIES)


def test_the_command_refuses_a_certificate_with_a_gap_and_what_is_none(tmp_path, capsys):
    certificate, _ = certify(SMALL)
    path, none = tmp_path / "gap.json", tmp_path / "none.json"
    write(path, dataclasses.replace(certificate, boxes=certificate.boxes[1:]))
    assert main([str(path)]) == 1
    assert "refused: boxes: got a gap" in capsys.readouterr().out
    none.write_text("[]")
    assert main([str(none)]) == 2
    assert "FILE: got" in capsys.readouterr().err


# What is tampered with.


def _without_a_box(c):
    return dataclasses.replace(c, boxes=c.boxes[:7] + c.boxes[8:])


def _with_a_larger_box(c):
    (a, b), *rest = c.boxes[0]
    return dataclasses.replace(c, boxes=(((a, b + (b - a) / 2), *rest), *c.boxes[1:]))


def _with_a_smaller_box(c):
    (a, b), *rest = c.boxes[0]
    return dataclasses.replace(c, boxes=(((a, (a + b) / 2), *rest), *c.boxes[1:]))


def _with_a_box_twice(c):
    return dataclasses.replace(c, boxes=(*c.boxes, c.boxes[3]))


def _with_a_sign_changed(c):
    (a, b), *rest = c.boxes[0]
    return dataclasses.replace(c, boxes=(((-a, b), *rest), *c.boxes[1:]))


def _with_a_larger_domain(c):
    (a, b), *rest = c.domain
    step = Q(1, 100)
    more = ((a - step, a), *rest)
    return dataclasses.replace(c, domain=((a - step, b), *rest), boxes=(more, *c.boxes))


def _with_another_statement(c):
    return dataclasses.replace(c, statement=c.statement.replace("<", ">"))


def _of_another_inequality(c):
    return dataclasses.replace(c, inequality="symmetric-part")


def _of_an_unknown_inequality(c):
    return dataclasses.replace(c, inequality="two norms")


def _left_open(c):
    return dataclasses.replace(c, verdict=Verdict.OPEN)


TAMPERINGS = [value for name, value in list(globals().items()) if name.startswith(("_with", "_of_", "_left"))]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=[f.__name__.strip("_") for f in TAMPERINGS])
def test_a_tampered_certificate_is_refused(tamper):
    certificate, _ = certify(SMALL)
    with pytest.raises(RefusedError):
        recheck(tamper(certificate))


def test_a_false_inequality_is_refused_even_with_the_boxes_that_cover_its_domain(monkeypatch):
    """The second form must decide by itself: with the sign of the second form changed no tiling helps."""
    certificate, _ = certify(SMALL)
    form = FORMS[SMALL]
    negative = form._replace(positive=lambda *box: tuple(-value for value in form.positive(*box)))
    monkeypatch.setitem(FORMS, SMALL, negative)
    with pytest.raises(RefusedError, match="not shown positive"):
        recheck(certificate)


def test_a_gap_of_any_size_is_found():
    """A sliver of 2^-400, far below any rounding, between two boxes."""
    sliver = Q(1, 2**400)
    halves = (((Q(0), Q(1, 2)),), ((Q(1, 2) + sliver, Q(1)),))
    with pytest.raises(RefusedError, match="gap"):
        refuse_unless_tiled(((Q(0), Q(1)),), halves)


# The engine.


def test_a_function_without_a_sign_stays_open_where_balls_cannot_decide():
    """x^2 is 0 at 0; a product of balls m +- s is positive only for m > (1 + sqrt 2) s, at last with s = 3/2^13."""
    found = subdivide(one_box(-1, 2, lambda x: x * x), max_depth=12)
    assert found.verdict is Verdict.OPEN
    assert abs(found.failure[0]) <= Q(8, 2**13)


def test_a_box_that_is_not_finite_decides_nothing():
    assert subdivide(one_box(0, 1, lambda x: arb("nan")), max_depth=3).verdict is Verdict.OPEN
    assert subdivide(one_box(-1, 1, lambda x: 1 / (x * x)), max_depth=5).verdict is Verdict.OPEN


def test_a_domain_whose_ends_are_exchanged_is_refused():
    with pytest.raises(ValueError, match="domain: got"):
        subdivide(one_box(1, 0, lambda x: x))


def test_a_ball_contains_its_interval_and_hardly_more():
    with precision(80):
        ball = exact_ball(Q(1, 3), Q(2, 3))
        assert ball.contains(arb(fmpq(1, 3)))
        assert ball.contains(arb(fmpq(2, 3)))
        assert not ball.contains(arb(fmpq(2, 3)) + arb(2) ** -25)  # a radius has 30 bits


def test_the_mean_value_form_is_of_second_order():
    """sin(x) - x cos(1/2) near 1/2 has slope 0: over a width h its range is below h^2, the plain one of size h."""
    with precision(80):
        cos = (arb(1) / 2).cos()
        box = exact_ball(Q(1, 2) - Q(1, 1000), Q(1, 2) + Q(1, 1000))
        function = lambda x: x.sin() - cos * x  # noqa: E731
        assert mean_value(function, [box]).rad() < 1e-6
        assert function(box).rad() > 1e-3


def test_a_quotient_by_a_vanishing_factor_is_finite_at_its_zero():
    """(x - sin x)/x^3 is 1/6 at 0 and falls: over [0, 1/4] it lies in [1/6 - 1/1920, 1/6]."""
    with precision(80):
        value = divided(lambda x: x - x.sin(), exact_ball(Q(0), Q(1, 4)), arb(0), 3)
        assert value.contains(arb(1) / 6)
        assert value.lower() > 0.16
        assert value.upper() < 0.17


def test_a_numerator_that_does_not_vanish_is_not_divided():
    """cos(x)/x^3 has no finite range at 0, whatever its third Taylor coefficient."""
    with precision(80):
        assert not divided(lambda x: x.cos(), exact_ball(Q(0), Q(1, 4)), arb(0), 3).is_finite()
        assert not divided_by_square(lambda x, y: x * x + y * y + 1, [exact_ball(Q(0), Q(1))] * 2).is_finite()


def test_a_quadratic_form_over_its_square_lies_between_its_eigenvalues():
    """x^2 + xy + 2 y^2 over x^2 + y^2: (3 -+ sqrt 2)/2, and all of it on a box around the origin."""
    with precision(80):
        around = exact_ball(Q(-1), Q(1))
        value = divided_by_square(lambda x, y: x * x + x * y + 2 * y * y, [around, around])
        low, high = (3 - arb(2).sqrt()) / 2, (3 + arb(2).sqrt()) / 2
        assert value.contains(low)
        assert value.contains(high)
        assert (value.upper() - value.lower()) - (high - low) < 1e-6  # a radius has 30 bits


# Checks.


def test_a_certificate_of_another_formula_is_a_refutation():
    claim = next(c for c in CLAIMS if c.id == "one-neuron/acceleration-sharp")
    check = next(k for k in claim.checks if isinstance(k, Certified))
    reference = check.reference(claim, CONTEXT)
    assert check.compare(claim, claim.formula, reference).verdict is Verdict.CERTIFIED
    other = lambda pair: claim.formula(pair) * (1 + 1e-10)  # noqa: E731
    assert check.compare(claim, other, reference).verdict is Verdict.REFUTED
    assert check.compare(claim, lambda pair: np.nan, reference).verdict is Verdict.REFUTED


def test_every_certificate_belongs_to_a_claim():
    used = {check.inequality for claim in CLAIMS for check in claim.checks if isinstance(check, Certified)}
    assert used == set(INEQUALITIES)
