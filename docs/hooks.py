"""What building the documentation adds to its pages: formulas as MathML, and tables made of the code itself.

A page holds `$...$` and `$$...$$`, or a comment such as <!-- claims: one-neuron -->; `MAKERS` has the names of these.
Nothing is left for the reader's browser to fetch or to run.
"""

import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from html import escape, unescape
from pathlib import Path

from mkdocs.exceptions import PluginError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))  # mkdocs is no `python -m` in the checkout

MARKED = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
COMMENT = re.compile(r"<!-- (\w+): (.*?) -->")
PAGE_OF_CHECKS = ROOT / "output" / "verification.html"


def on_page_content(html: str, page, **_) -> str:
    """Formulas drawn, comments replaced by what they stand for."""
    html = MARKED.sub(lambda found: formula(unescape(found[2]), found[1] == "div", page.file.src_uri), html)
    return COMMENT.sub(lambda found: made(found[1], found[2], page.file.src_uri), html)


def on_post_build(config, **_) -> None:
    """The page that `make verify` wrote, with all evidence, goes along where there is one."""
    if PAGE_OF_CHECKS.exists():
        shutil.copyfile(PAGE_OF_CHECKS, Path(config.site_dir) / "verification.html")


def formula(latex: str, alone: bool, where: str) -> str:
    """MathML; LaTeX that is none stops the build."""
    typeset = importlib.import_module("verification.report.typeset")
    drawn = typeset.formula(latex.strip())
    if not drawn.startswith("<math"):
        raise PluginError(f"{where}: got {latex!r}; needs LaTeX that latex2mathml reads")
    return drawn.replace('display="inline"', 'display="block"') if alone else drawn


def made(kind: str, argument: str, where: str) -> str:
    if kind not in MAKERS:
        raise PluginError(f"{where}: got <!-- {kind}: ... -->; needs one of {', '.join(MAKERS)}")
    return MAKERS[kind](argument)


@cache
def all_claims() -> dict:
    return {claim.id: claim for claim in importlib.import_module("verification.claims").CLAIMS}


def statement(name: str) -> str:
    """The statement of a claim, as `python -m verification` proves and evaluates it."""
    typeset = importlib.import_module("verification.report.typeset")
    if name not in all_claims():
        raise PluginError(f"statement: got {name!r}; needs the name of a claim, see python -m verification --list")
    claim = all_claims()[name]
    link = f'<a class="source" href="claims.html#{escape(name)}">{escape(name)}</a>'
    return f'<div class="statement">{typeset.statement(claim.statement.latex)} {link}</div>'


def claims(part: str) -> str:
    """All claims of a part: statement, domain, source, verdict, methods."""
    members = [claim for name, claim in all_claims().items() if name.partition("/")[0] == part]
    if not members:
        raise PluginError(f"claims: got {part!r}; needs a part such as one-neuron")
    return "\n".join(map(_claim, members))


def _claim(claim) -> str:
    typeset = importlib.import_module("verification.report.typeset")
    verdict = claim.expected.value
    word = "refuted" if verdict == "refuted" else "holds"
    methods = ", ".join(dict.fromkeys(check.method for check in claim.checks))
    return (
        f'<div class="claim {verdict}" id="{escape(claim.id)}">'
        f'<p><strong>{escape(claim.id)}</strong> <span class="badge {verdict}">{word}</span></p>'
        f'<div class="statement">{typeset.statement(claim.statement.latex)}</div>'
        f"<p>For {typeset.mixed(claim.domain.assumptions)}.</p>"
        f'<p class="source">{escape(claim.source)}. By {escape(methods)}.</p></div>'
    )


def counts(_: str) -> str:
    """How many claims there are, and how many of them hold."""
    refuted = [claim for claim in all_claims().values() if claim.expected.value == "refuted"]
    links = "; ".join(f'<a href="#{escape(c.id)}">{escape(c.id.partition("/")[2])}</a>' for c in refuted)
    more = ""
    if PAGE_OF_CHECKS.exists():
        more = ' <a href="verification.html">All evidence of the last run</a>, counterexamples included.'
    total = len(all_claims())
    return (
        f"<p><strong>{total} claims: {total - len(refuted)} hold, {len(refuted)} readings are refuted</strong>: "
        f"{links}.{more}</p>"
    )


def basins(train: str) -> str:
    """The table of the study of basins; that of flows in which output weights train, beside the one without."""
    table = importlib.import_module("studies.basin_table")
    rows = table.read(table.TABLES[train])
    lines = table.summary(rows) if train == "weights" else table.against_weights(rows, table.read())
    return f"<pre><code>{escape(chr(10).join(lines))}</code></pre>"


def outcomes(train: str) -> str:
    """The table of the study of outcomes, from the file of what trains."""
    study = importlib.import_module("studies.outcomes")
    return f"<pre><code>{escape(chr(10).join(study.summary(study.read(study.TABLES[train]))))}</code></pre>"


def figure(name: str) -> str:
    """A picture of the gallery with its command, its time and what its module says that it shows."""
    inputs = json.loads((HERE / "pictures" / "inputs.json").read_text())
    if name not in inputs:
        raise PluginError(f"figure: got {name!r}; needs a picture of make gallery: {', '.join(inputs)}")
    shows = escape(inputs[name]["shows"])
    return (
        f'<figure><img src="pictures/{escape(name)}.png" alt="{shows}" loading="lazy">'
        f"<figcaption>{shows}. <code>python -m figures {escape(name)}</code>, "
        f"{escape(inputs[name]['time'])}.</figcaption></figure>"
    )


def experiments(_: str) -> str:
    """What was measured of each of the paper's statements, from the tables in studies/."""
    catalogue = importlib.import_module("figures.command.catalogue").entries()
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (result.experiment, catalogue[result.experiment].statement, *result[1:])
        )
        + "</tr>"
        for result in importlib.import_module("figures.command.results").results()
    )
    heads = ("experiment", "the paper says, in our words", "in its setting", "the clean comparison", "what that says")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


MAKERS: dict[str, Callable[[str], str]] = {
    "statement": statement,
    "claims": claims,
    "counts": counts,
    "basins": basins,
    "experiments": experiments,
    "outcomes": outcomes,
    "figure": figure,
}
