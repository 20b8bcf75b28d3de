"""The table of what was measured: from the tables in studies/, and nothing that is not in them."""

import pytest

from figures.command import catalogue, results

STATEMENTS = {name: entry.statement for name, entry in catalogue.entries().items() if entry.group == "experiments"}


def test_every_experiment_has_its_row_and_the_statement_of_its_figure():
    assert {result.experiment for result in results.results()} == set(STATEMENTS)
    assert all("2509.19773" in statement for statement in STATEMENTS.values())
    assert catalogue.entries()["denoising"].statement == catalogue.entries()["denoising"].figure().statement


def test_without_tables_nothing_was_run(tmp_path):
    for result in results.results(tmp_path):
        assert results.NOT_RUN in result.clean
        assert "interval" not in result.published + result.clean


def test_numbers_are_those_of_the_tables(tmp_path):
    header = "row,change,l2_loss,loss,factor,low,high,level,seeds\n"
    rows = "0,the paper's,L2,paper,1.5,1.2,1.8,0.97,6\n1,signed,L2,H1,0.9,0.8,1.1,0.97,6\n"
    (tmp_path / "ladder_denoising.csv").write_text("# where it was made\n" + header + rows)
    (of_digits,) = (result for result in results.results(tmp_path) if result.experiment == "denoising")
    assert of_digits.published.endswith("1.5 (97% interval 1.2 to 1.8, 6 seeds)")
    assert of_digits.clean == "signed: 0.9 (97% interval 0.8 to 1.1, 6 seeds)"


@pytest.mark.parametrize(("low", "high", "words"), [(1.1, 3.0, "lower in 1 of 1"), (0.5, 0.9, "higher in 1")])
def test_fits_are_counted_by_their_intervals(tmp_path, low, high, words):
    table = f"row,loss,factor,low,high,level,seeds\n0,H1,1.0,{low},{high},0.96,20\n"
    (tmp_path / "ladder_architectures.csv").write_text(table)
    assert words in results.results(tmp_path)[0].published
