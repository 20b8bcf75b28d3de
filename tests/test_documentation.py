"""The README and the pages of docs/: their code prints what they say, links lead somewhere, lists are whole."""

import ast
import contextlib
import io
import json
import re
from pathlib import Path

import pytest

import sobolev_theory as st
from figures import gallery
from figures.command import catalogue
from verification.claims import CLAIMS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(DOCS.rglob("*.md"))}
TEXTS = {"README.md": README, **PAGES, "CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text()}
CODE = re.compile(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", flags=re.DOTALL)
START = CODE.search(PAGES["docs/start.md"])[1]
WITH_CODE = [name for name, text in TEXTS.items() if CODE.search(text) and name != "CONTRIBUTING.md"]


@pytest.mark.xdist_group("documentation")  # they share what they compile
@pytest.mark.parametrize("page", WITH_CODE)
def test_every_code_block_prints_what_stands_below_it(page):
    """In order, and where a page says so with the names of the first block of `Start here`."""
    names: dict[str, object] = {}
    if "of [Start here]" in TEXTS[page]:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(START, names)
    for code, expected in CODE.findall(TEXTS[page]):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == expected


def test_there_is_code_on_the_pages_that_explain_it():
    assert {"README.md", *(f"docs/{n}.md" for n in ("start", "sharp_bits", "sampling", "flows"))} <= set(WITH_CODE)


# The README.


def test_the_readme_is_short_and_has_a_picture_and_twelve_lines_of_code():
    assert len(README.splitlines()) <= 90
    assert re.search(r"^!\[.+\]\(docs/pictures/\w+\.png\)$", README, flags=re.MULTILINE)
    assert len(CODE.search(README)[1].splitlines()) <= 12


def test_the_first_lines_of_code_are_the_two_commands():
    assert re.findall(r"^    (make \w+)", README, flags=re.MULTILINE)[:2] == ["make verify", "make test"]


def test_the_numbers_below_the_picture_are_those_of_the_study():
    from studies.basin_table import Cell, elsewhere, read

    missed = [elsewhere(read()[Cell(20, 0, flow)]).missed for flow in ("L2", "H1 population", "H1 loss")]
    for text in (README, PAGES["docs/index.md"]):
        said = re.search(r"a teacher of 20 neurons\s+(\d+) times in 75.*?misses it (\d+) times", text, re.DOTALL)
        assert [said[1], said[1], said[2]] == [str(number) for number in missed]


def test_the_numbers_below_the_table_of_output_weights_that_train_are_those_of_the_study():
    from studies import basin_table

    rows, of_weights = (basin_table.read(basin_table.TABLES[train]) for train in ("both", "weights"))
    said = re.findall(
        r"(?:misses|gradient|loss) (\d+) (?:of (\d+) starts.*?|)and (\d+)",
        PAGES["docs/studies.md"].partition("basins: both")[2],
    )
    for flow, (both, _, weights) in zip(basin_table.FLOWS, said, strict=True):
        cells = sorted(cell for cell in rows if cell.flow == flow and not cell.extra)
        codes = (
            [rows[cell].codes for cell in cells],
            [of_weights[cell].codes[: len(rows[cell].codes)] for cell in cells],
        )
        one, other = (basin_table.Row("".join(each)) for each in codes)
        assert [basin_table.elsewhere(row).missed for row in (one, other)] == [int(both), int(weights)]
        assert f"p = {basin_table.paired(one, other):.2f}" in PAGES["docs/studies.md"]


# Links.


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_to_files_and_to_headings(page):
    """In the checkout as on the site, whose build checks them again."""
    here = (ROOT / page).parent
    for target, _, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#([^)\s]+))?\)", TEXTS[page]):
        path = (here / target).resolve() if target else ROOT / page
        if path.parent == DOCS / "notebooks":  # pages made of what is in examples/
            path = ROOT / "examples" / f"{path.stem}.ipynb"
        assert path.exists(), (page, target)
        if anchor:
            text = path.read_text().replace('--8<-- "CONTRIBUTING.md"', TEXTS["CONTRIBUTING.md"])
            assert anchor in {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)}


def slug(heading: str) -> str:
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


# Lists that have to be whole.


def test_the_pages_of_the_api_describe_every_public_name_once():
    described = re.findall(r"^::: sobolev_theory\.(\S+)$", "\n".join(PAGES.values()), flags=re.MULTILINE)
    top = [name for name in described if "." not in name]
    assert len(described) == len(set(described))
    assert set(st.__all__) - set(top) == {"L2", "H1", "H2"}  # values, which one sentence names
    assert set(top) <= set(st.__all__)
    assert all(f"`st.{name}`" in PAGES["docs/api/setting.md"] for name in ("L2", "H1", "H2"))


@pytest.mark.parametrize("parent", ["symbolic", "differentiation"])
def test_modules_within_modules_are_described_too(parent):
    inner = {name for name in getattr(st, parent).__all__ if hasattr(getattr(getattr(st, parent), name), "__path__")}
    inner |= {
        name for name in getattr(st, parent).__all__ if type(getattr(getattr(st, parent), name)).__name__ == "module"
    }
    text = "\n".join(PAGES.values())
    assert {name for name in inner if f"::: sobolev_theory.{parent}.{name}\n" not in text} == set()


def test_the_page_of_claims_has_every_part_and_statements_of_claims_are_of_claims():
    parts = re.findall(r"<!-- claims: (.*?) -->", PAGES["docs/claims.md"])
    assert parts == list(dict.fromkeys(parts))
    assert set(parts) == {claim.id.partition("/")[0] for claim in CLAIMS}
    named = {name for text in PAGES.values() for name in re.findall(r"<!-- statement: (.*?) -->", text)}
    assert named <= {claim.id for claim in CLAIMS}


def test_the_table_of_kernels_has_every_activation():
    inner = {name for name in dir(st) if isinstance(value := getattr(st, name), type) and is_activation(value)}
    text = PAGES["docs/kernels.md"]
    assert {name for name in inner if f"`st.{name}(" not in text} == set()


def is_activation(value: type) -> bool:
    return issubclass(value, st.Activation) and value is not st.Activation


# The gallery.


def pictures() -> dict[str, dict[str, str]]:
    return json.loads(gallery.INPUTS.read_text())


def test_pictures_are_small_and_there_is_no_other():
    sizes = {path.name: path.stat().st_size for path in gallery.PICTURES.glob("*.png")}
    assert set(sizes) == {f"{name}.png" for name in pictures()}
    assert max(sizes.values()) < 150_000
    assert sum(sizes.values()) < 3_000_000


@pytest.mark.parametrize("name", pictures())
def test_a_picture_is_of_the_figure_as_it_is_today(name):
    """If not: make gallery, and look at it."""
    assert pictures()[name]["inputs"] == gallery.fingerprint(catalogue.entries()[name].figure())
    assert pictures()[name]["shows"] == catalogue.entries()[name].shows


def test_the_gallery_shows_every_picture():
    assert sorted(re.findall(r"<!-- figure: (\w+) -->", PAGES["docs/gallery.md"])) == sorted(pictures())


def test_comments_and_docstrings_are_no_inputs(tmp_path):
    one, other, wrong = (tmp_path / name for name in ("one.py", "other.py", "wrong.py"))
    one.write_text('"""What."""\n\n\ndef f():\n    """Which."""\n    return 1\n')
    other.write_text("def f():\n    return 1  # whatever\n")
    wrong.write_text("def f():\n    return 2\n")
    assert gallery._code(one) == gallery._code(other) != gallery._code(wrong)
    assert ast.parse(one.read_text())
