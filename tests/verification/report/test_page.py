"""The page: formulas drawn, all escaped, nothing fetched; and as a real browser shows it, where there is one."""

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy as sp

from verification.claim import Claim, Evidence, Result, Verdict
from verification.claims import CLAIMS
from verification.report import table as report
from verification.report.drawings import in_plane, plane
from verification.report.page import number, page
from verification.report.typeset import formula, mixed, pieces, statement
from verification.run.carry_out import Settings
from verification.statements import below, states

HOLDS = Evidence("quadrature", Verdict.SUPPORTED, 2, 8, 1.2e-16, 1e-12, twins={"sign": True})
FAILS = Evidence(
    "differences",
    Verdict.REFUTED,
    2,
    8,
    0.01,
    2e-10,
    detail="at w = <b>",
    counterexample='print("<script>alert(1)</script>")',
    vectors={"w": (1.0, 0.0, 0.0), "v": (0.0, 2.0, 0.0)},
)


def claim_with(claim: Claim, evidence: Evidence) -> Result:
    return Result(claim, (evidence,), evidence.verdict)


def shipped(refuted: int = 3) -> list[Result]:
    return [claim_with(claim, FAILS if k < refuted else HOLDS) for k, claim in enumerate(CLAIMS)]


def page_of(results: list[Result]) -> str:
    return page(report.as_json(results, Settings(), report.Cost(1.0)))


@pytest.fixture(scope="module")
def shown() -> str:
    return page_of(shipped())


# Formulas.


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_statement_and_assumption_is_drawn(claim):
    """As well-formed MathML, without a command of LaTeX that is left over."""
    shown = statement(claim.statement.latex) + mixed(claim.domain.assumptions)
    ElementTree.fromstring(f"<div>{shown}</div>")
    assert "<math" in shown
    assert "<code>" not in shown
    assert not re.search(r"<m\w+[^>]*>\\", shown)


def test_what_cannot_be_drawn_is_shown_as_its_source():
    assert formula(r"\left( <") == r"<code>\left( &lt;</code>"


def test_a_formula_breaks_only_outside_of_brackets():
    found = list(pieces(r"f(x, y) = [1, 2], \text{ for } x: 1; \{a, b\}"))
    assert found == ["f(x, y)", "= [1, 2],", r"\text{ for }", "x:", "1;", r"\{a, b\}"]


# Content.


def test_every_claim_has_its_article(shown):
    assert re.findall(r'<article id="([^"]+)"', shown) == [claim.id for claim in CLAIMS]


def test_a_page_fetches_nothing(shown):
    assert "http" not in shown.replace("http-equiv", "")
    assert "default-src 'none'" in shown
    assert not re.search(r'(src|href)="(?!#)', shown)


def test_what_a_record_says_is_escaped():
    order = states(below(sp.Symbol("x"), sp.Symbol("y")))
    claim = dataclasses.replace(CLAIMS[0], id="a/<i>", source='"<b>&', statement=order)
    shown = page_of([claim_with(claim, FAILS)])
    body = shown[shown.index("<main>") : shown.index("<script>")]
    assert "<script>" not in body
    assert "<i>" not in body
    assert "&quot;&lt;b&gt;&amp;" in body
    assert "at w = &lt;b&gt;" in body


def test_numbers_have_two_digits_and_raised_exponents():
    assert number(1.23e-16) == "1.2&middot;10<sup>&minus;16</sup>"
    assert number(1e-12) == "10<sup>&minus;12</sup>"
    assert number(-0.5) == "&minus;0.5"
    assert number(None) == "&infin;"


def test_a_plane_shows_lengths_and_angle_of_two_vectors():
    flat = in_plane(np.array([[0.0, 0.0, 2.0], [3.0, 0.0, 3.0]]))
    assert flat.tolist() == [[2.0, 0.0], [3.0, 3.0]]


@pytest.mark.parametrize("second", [(1.0, 0.0), (-2.0, 0.0), (0.0, 0.0)])
def test_parallel_and_zero_vectors_are_drawn_too(second):
    assert "nan" not in plane({"w": (1.0, 0.0), "w*": second})


# In a browser.

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = os.environ.get("CHROMIUM") or next((path for name in BROWSERS if (path := shutil.which(name))), None)
in_browser = pytest.mark.skipif(
    BROWSER is None, reason=f"no browser: set CHROMIUM or install one of {', '.join(BROWSERS)}"
)


@pytest.fixture(scope="module")
def browse(shown, tmp_path_factory):
    """The document as it stands after its script has run, for a fragment of its address."""
    folder = tmp_path_factory.mktemp("page")
    path = folder / "page.html"
    path.write_text(shown)

    def dom(fragment: str) -> str:
        command = [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"),
            f"{Path(path).as_uri()}{fragment}",
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    return dom


def said(dom: str) -> dict[str, int]:
    """What the script says of the page in the attributes of its root."""
    root = re.search(r"<html[^>]*>", dom)
    assert root is not None
    return {name: int(value) for name, value in re.findall(r'data-(\w+)="(\d+)"', root.group())}


def visible(dom: str) -> list[str]:
    return [name for name, rest in re.findall(r'<article id="([^"]+)"([^>]*)>', dom) if "hidden" not in rest]


@in_browser
def test_a_browser_draws_every_formula(browse, shown):
    found = said(browse(""))
    folded = "".join(re.findall(r"<details>.*?</details>", shown, re.DOTALL))
    assert found["formulas"] == shown.count("<math") - folded.count("<math") > len(CLAIMS)
    assert found["empty"] == 0
    assert found["shown"] == len(CLAIMS)


@in_browser
def test_the_filters_show_what_fits_and_hide_the_rest(browse):
    dom = browse("#verdict=refuted")
    assert visible(dom) == [claim.id for claim in CLAIMS[:3]]
    assert said(dom)["shown"] == 3
    both = visible(browse("#verdict=supported&text=NETWORKS/+hessian"))
    assert both
    assert both == [c.id for c in CLAIMS[3:] if c.id.startswith("networks/") and "hessian" in c.id]


@in_browser
def test_a_link_to_a_claim_shows_all_and_leads_to_it(browse):
    assert len(visible(browse(f"#{CLAIMS[5].id}"))) == len(CLAIMS)
