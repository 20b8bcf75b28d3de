"""The results as one page that can be read anywhere: formulas drawn, evidence folded, nothing fetched.

A page is a function of the JSON record alone. What a page looks like is in page.css, what its filters do in page.js;
both go into the file. A fragment such as #verdict=refuted&text=hessian sets the filters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from ..claim import Verdict
from .drawings import plane
from .typeset import mixed, statement

Record = Mapping[str, Any]

PARTS = {
    "one-neuron": "One neuron and its teacher",
    "kernels": "Kernels of a pair of neurons",
    "families": "Families of activations",
    "biases": "One biased neuron and its teacher",
    "inputs": "Inputs of any covariance",
    "pair": "Pairs of neurons",
    "networks": "Networks",
    "orthonormal": "An orthonormal teacher",
}
CAPITALS = {
    "l2": "L2",
    "h1": "H1",
    "h2": "H2",
    "hessian": "Hessian",
    "jacobian": "Jacobian",
    "euclidean": "Euclidean",
}
CAPITALS |= {"relu": "ReLU", "repu": "RePU", "gelu": "GELU", "gaussian": "Gaussian", "mahalanobis": "Mahalanobis"}
MEANINGS = {
    Verdict.PROVED: "derived symbolically from the definition",
    Verdict.CERTIFIED: "shown on a whole domain in ball arithmetic",
    Verdict.SUPPORTED: "agrees at random points and on samples",
    Verdict.OPEN: "not decided",
    Verdict.REFUTED: "does not hold; a counterexample is given",
    Verdict.ERROR: "could not be checked",
}
# What the statements are written in, for who reads nothing but the page.
NOTATION = (
    (
        r"g(x) = \sum_j a_j \sigma(w_j \cdot x + b_j)",
        "the student of weights w; the teacher has a star; x is normal",
    ),
    (r"\theta, \rho", "the angle of w and w*, or of two neurons w and v, and the quotient |w*|/|w|"),
    (r"\hat w, e, e'", "w/|w|; in the plane of both, e orthogonal to w towards the other neuron, e' the other way"),
    (r"L, J, H", "half the mean square of g - g*, the same of its gradient in x, and their sum, the H1 loss"),
    (r"G, \nabla", "the gradient of the integrand, almost everywhere, averaged, and the gradient of the loss itself"),
    (r"DG, \nabla^2", "the Jacobian of the population gradient G, and the Hessian of the loss"),
    (r"\lambda, \kappa, \kappa_2", "eigenvalues, the largest over the smallest, the condition number in the 2-norm"),
    (r"\kappa_0, \kappa_1, J_n", "kernels of values, of slopes, of powers of unit neurons (times two pi)"),
    (r"v_j, c_j, w_k", "all neurons, their output weights (the teacher's with a minus), the student's neurons"),
    (r"\varphi, \Phi", "density and distribution function of a standard normal variable"),
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
HERE = Path(__file__).parent


def page(record: Record) -> str:
    """HTML of a record of `report.as_json`."""
    claims = record["claims"]
    body = [_head(record, claims), _filters(claims)]
    for part, members in groupby(claims, key=lambda claim: claim["id"].partition("/")[0]):
        title = PARTS.get(part, part.replace("-", " ").capitalize())
        articles = "\n".join(map(_claim, members))
        body.append(f'<section id="part-{escape(part)}"><h2>{escape(title)}</h2>\n{articles}\n</section>')
    body.append('<p id="none" hidden>No claim fits these filters.</p>')
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>Sobolev acceleration: which statements hold</title>",
            f"<style>\n{_asset('page.css')}</style></head><body>",
            "<main>",
            *body,
            _foot(record),
            f"</main>\n<script>\n{_asset('page.js')}</script></body></html>\n",
        ]
    )


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _head(record: Record, claims: Sequence[Record]) -> str:
    verdicts = Counter(claim["verdict"] for claim in claims)
    counts = ", ".join(f"<b>{verdicts[v.value]}</b> {v.value}" for v in Verdict if verdicts[v.value])
    attacks = [ok for claim in claims for e in claim["evidence"] for ok in e["twins"].values()]
    evidence = sum(len(claim["evidence"]) for claim in claims)
    lines = [
        "<header><h1>Sobolev acceleration for neural networks: which statements hold</h1>",
        "<p>Statements of arXiv 2509.19773, of the work it builds on, and some derived here, each attacked by "
        "independent methods: algebra from the definition, certified ball arithmetic, quadrature, differences and "
        "sampling. Every method must also refute wrong versions of each formula.</p>",
        f'<p class="counts">{len(claims)} claims: {counts}. {evidence} checks; '
        f"{sum(attacks)} of {len(attacks)} attacks on wrong twins refute them.</p>",
    ]
    terms = "".join(f"<dt>{statement(symbols)}</dt><dd>{escape(words)}</dd>" for symbols, words in NOTATION)
    lines.append(f"<details><summary>Notation</summary><dl>{terms}</dl></details>")
    refuted = [claim for claim in claims if claim["verdict"] == Verdict.REFUTED.value]
    if refuted:
        links = "; ".join(f'<a href="#{escape(c["id"])}">{escape(_title(c))}</a>' for c in refuted)
        lines.append(f"<p>Readings that do <em>not</em> hold: {links}.</p>")
    unexpected = [escape(claim["id"]) for claim in claims if not claim["as_expected"]]
    if unexpected:
        lines.append(f'<p class="alarm">Not as expected: {", ".join(unexpected)}.</p>')
    return "\n".join([*lines, "</header>"])


def _filters(claims: Sequence[Record]) -> str:
    verdicts = Counter(claim["verdict"] for claim in claims)
    buttons = [f'<button type="button" data-verdict="">all {len(claims)}</button>']
    buttons += [
        f'<button type="button" data-verdict="{v.value}" title="{MEANINGS[v]}">{v.value} {verdicts[v.value]}</button>'
        for v in Verdict
        if verdicts[v.value]
    ]
    return (
        f'<nav aria-label="filters">{"".join(buttons)}'
        '<input type="search" id="text" placeholder="words, symbols, method" aria-label="text">'
        '<output id="shown"></output></nav>'
    )


def _title(claim: Record) -> str:
    words = claim["id"].partition("/")[2].split("-")
    title = " ".join(CAPITALS.get(word, word) for word in words)
    return title[:1].upper() + title[1:]


def _claim(claim: Record) -> str:
    methods = [evidence["method"] for evidence in claim["evidence"]]
    words = [claim[key] for key in ("id", "statement", "source", "assumptions")] + methods
    badge = f'<span class="badge {claim["verdict"]}">{claim["verdict"]}</span>'
    surprise = "" if claim["as_expected"] else f' <span class="alarm">expected: {escape(claim["expected"])}</span>'
    counterexamples = [_counterexample(e, claim) for e in claim["evidence"] if e["verdict"] == Verdict.REFUTED.value]
    return "\n".join(
        [
            f'<article id="{escape(claim["id"])}" data-verdict="{claim["verdict"]}" '
            f'data-text="{escape(" ".join(words).lower())}">',
            f'<h3><a href="#{escape(claim["id"])}">{escape(_title(claim))}</a> {badge}{surprise}</h3>',
            f'<div class="statement">{statement(claim["statement"])}</div>',
            f'<p class="terms">For {mixed(claim["assumptions"])}. '
            f'<span class="source">{escape(claim["source"])}.</span></p>',
            *counterexamples,
            f"<details><summary>{_in_short(claim)}</summary>",
            _evidence_table(claim["evidence"]),
            _twins(claim["evidence"]),
            f'<pre class="latex">{escape(claim["statement"])}</pre>',
            "</details></article>",
        ]
    )


def _in_short(claim: Record) -> str:
    methods = ", ".join(dict.fromkeys(evidence["method"] for evidence in claim["evidence"]))
    attacks = [ok for e in claim["evidence"] for ok in e["twins"].values()]
    twins = f"; wrong twins refuted in {sum(attacks)} of {len(attacks)} attacks" if attacks else ""
    return escape(f"{methods}{twins}")


def _evidence_table(evidence: Sequence[Record]) -> str:
    heads = ("method", "verdict", "compared", "deviation", "allowed", "finds an error of", "samples", "time")
    head = "".join(f"<th>{text}</th>" for text in heads)
    rows = []
    for e in evidence:
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in _cells(e)) + "</tr>")
        if e["detail"]:
            rows.append(f'<tr class="detail"><td colspan="{len(heads)}">{escape(e["detail"])}</td></tr>')
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _cells(e: Record) -> list[str]:
    unit = {"relative": "", "standard errors": " s.e.", "value": ""}[e["unit"]]
    sign = "&ge;" if e["unit"] == "value" else "&le;"
    measured = e["verdict"] != Verdict.ERROR.value
    return [
        escape(e["method"]),
        e["verdict"],
        f"{e['components']:,}" if measured else "",
        number(e["deviation"]) + unit if measured else "",
        f"{sign} {number(e['allowed'])}{unit}" if measured else "",
        "" if e["detectable"] is None else f"{100 * e['detectable']:.2g} %",
        f"{e['samples']:,}" if e["samples"] else "",
        f"{e['seconds']:.1f} s",
    ]


def number(value: float | None) -> str:
    """Two digits, powers of ten raised; what JSON cannot hold is infinite."""
    if value is None:
        return "&infin;"
    mantissa, _, exponent = f"{value:.2g}".partition("e")
    factor = "" if mantissa == "1" and exponent else mantissa + ("&middot;" if exponent else "")
    text = f"{factor}10<sup>{int(exponent)}</sup>" if exponent else mantissa
    return text.replace("-", "&minus;")


def _twins(evidence: Sequence[Record]) -> str:
    names = dict.fromkeys(name for e in evidence for name in e["twins"])
    items = []
    for name in names:
        by = {ok: [e["method"] for e in evidence if e["twins"].get(name) is ok] for ok in (True, False)}
        text = f"<em>{escape(name)}</em>, refuted by {escape(', '.join(dict.fromkeys(by[True])) or 'none')}"
        alarm = f'<span class="alarm">, not by {escape(", ".join(by[False]))}</span>' if by[False] else ""
        items.append(f"<li>{text}{alarm}</li>")
    return f"<p>Wrong twins:</p><ul>{''.join(items)}</ul>" if items else ""


def _counterexample(evidence: Record, claim: Record) -> str:
    teacher = claim["id"].startswith("one-neuron/") and "v" in evidence["vectors"]
    vectors = {"w*" if teacher and name == "v" else name: values for name, values in evidence["vectors"].items()}
    drawing = plane(vectors) if len(vectors) >= 2 else ""
    code = evidence["counterexample"]
    summary = "<summary>to be typed into a notebook</summary>"
    typed = f"<details>{summary}<pre><code>{escape(code)}</code></pre></details>" if code else ""
    return (
        f'<figure class="counterexample">{drawing}<figcaption>Counterexample ({escape(evidence["method"])}): '
        f"{escape(evidence['detail'])}{'; v is w*' if teacher else ''}</figcaption>"
        f"{typed}</figure>"
    )


def _foot(record: Record) -> str:
    s = record["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    meanings = " ".join(f"<dt>{v.value}</dt><dd>{text}</dd>" for v, text in MEANINGS.items())
    return (
        f"<footer><dl>{meanings}</dl>"
        f"<p>Sampling: {s['samples']:,} samples per average of effort 1, in three looks; the probability that any "
        f"true formula of the run is refuted is at most {number(s['false_alarm'])}. Seed {s['seed']}, {s['points']} "
        f"random points per deterministic check. {record['seconds']:.0f} s, {record['kept_checks']} checks known "
        f"from earlier runs. {escape(versions)}.</p></footer>"
    )
