"""The notebooks in examples/ run from top to bottom, and print what is kept in them."""

import contextlib
import re

import nbformat
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
    """The same words; numbers to two units of their last decimal or a thousandth; residuals are small in both."""
    assert words(kept) == words(found)
    for before, after in zip(NUMBER.findall(kept), NUMBER.findall(found), strict=True):
        one, other = value(before), value(after)
        assert abs(one - other) <= max(2.01 * unit(before), 1e-3 * abs(one), ROUNDING), (before, after)


def value(number: str) -> float:
    return float(number.replace(",", ""))


def unit(number: str) -> float:
    """Of its last decimal; 0 for whole numbers, which count."""
    digits, _, exponent = number.lower().partition("e")
    decimals = len(digits.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0


def words(printed: str) -> str:
    return re.sub(r"\s+", "", NUMBER.sub("#", printed))


@pytest.mark.parametrize(
    ("kept", "found", "same"),
    [
        ("a 1,000.5 of [0.1 -2e-16]", "a 1,000.6 of  [0.101   3e-17]", True),
        ("a 1,000.5 of [0.1 -2e-16]", "b 1,000.5 of [0.1 -2e-16]", False),
        ("a 1,000.5 of [0.1 -2e-16]", "a 1,010.5 of [0.1 -2e-16]", False),
        ("a 1,000.5 of [0.1 -2e-16]", "a 1,000.5 of [0.4 0]", False),
        ("loss 0.0058", "loss 0.0060", True),
        ("loss 0.0058", "loss 0.0045", False),
        ("error 5.8e-07", "error 4.5e-07", False),
        ("3 of 40", "4 of 40", False),
    ],
)
def test_numbers_and_words_are_told_apart(kept, found, same):
    with contextlib.nullcontext() if same else pytest.raises(AssertionError):
        compare(kept, found)


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
