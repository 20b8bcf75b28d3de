"""The notebooks in examples/ run from top to bottom, and print what is kept in them."""

import re

import nbformat
import numpy as np
import pytest

from docs import notebook_pages
from examples.__main__ import NOTEBOOKS, executed, main

NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?", flags=re.IGNORECASE)
ROUNDING = 1e-9  # numbers below are residuals, whose digits are those of the machine


def test_there_is_a_notebook_to_start_with():
    assert "getting_started" in NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_and_kept_as_it_ran(name):
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))
    assert NOTEBOOKS[name].stat().st_size < 250_000


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_gives_what_is_kept_in_it(name, tmp_path):
    kept, found = nbformat.read(NOTEBOOKS[name], as_version=4), executed(NOTEBOOKS[name], tmp_path)
    assert [output.text for output in outputs(found) if output.get("name") == "stderr"] == []
    assert list((tmp_path / "work").iterdir()) == []
    for before, after in zip(kept.cells, found.cells, strict=True):
        if before.cell_type == "code" and "varies" not in before.metadata.get("tags", []):
            compare("".join(map(text, before.outputs)), "".join(map(text, after.outputs)))


def compare(kept: str, found: str) -> None:
    """The same words, and numbers to the last digit printed but two; residuals are small in both."""
    assert words(kept) == words(found)
    numbers = [np.array([float(n.replace(",", "")) for n in NUMBER.findall(each)]) for each in (kept, found)]
    large = [np.where(np.abs(each) < ROUNDING, 0.0, each) for each in numbers]
    np.testing.assert_allclose(large[1], large[0], rtol=1e-3, atol=0.011)


def words(printed: str) -> str:
    return re.sub(r"\s+", "", NUMBER.sub("#", printed))


def test_numbers_and_words_are_told_apart():
    compare("a 1,000.5 of [0.1 -2e-16]", "a 1,000.6 of  [0.101   3e-17]")
    for other in ("b 1,000.5 of [0.1 -2e-16]", "a 1,010.5 of [0.1 -2e-16]", "a 1,000.5 of [0.2 0]"):
        with pytest.raises(AssertionError):
            compare("a 1,000.5 of [0.1 -2e-16]", other)


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def text(output) -> str:
    if "image/png" in output.get("data", {}):
        return "picture"  # not its pixels
    return output.get("text", "") or "".join(output.get("data", {}).get("text/plain", ""))


def test_a_page_has_the_outputs_below_their_code():
    cells = [
        {"cell_type": "markdown", "source": ["# A title\n", "\n", "words"]},
        {
            "cell_type": "code",
            "source": ["print(1 < 2)"],
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["a < b\n"]},
                {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
                {"output_type": "execute_result", "data": {"text/latex": "$\\displaystyle x$", "text/plain": "x"}},
            ],
        },
    ]
    found = notebook_pages.pages("name", {"cells": cells})
    assert found["name-1.png"] == b"\0\0\0"
    parts = "# A title\n", "print(1 < 2)", "a &lt; b</pre>", "](name-1.png)", "$$ x$$"
    places = [found["name.md"].index(part) for part in parts]
    assert places == sorted(places)


def test_a_notebook_that_is_none_is_refused_by_name(capsys):
    assert main(["getting_startled"]) == 2
    assert "NAME: got getting_startled; needs some of a_million" in capsys.readouterr().err
