"""The long runs of the paper's fits: a command that goes on from where it was cut off, and its tables."""

import csv

import numpy as np

from studies import paper_runs, paper_table
from studies.paper_runs import Part

COMMAND = "--seeds 1 --every 2 --width 4 --points 8 --lbfgs 0 --ackley 0 --minutes 5"


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_interrupted_run_ends_as_one_that_was_not(tmp_path, monkeypatch):
    """Of L2 alone, to compile little."""
    monkeypatch.setattr(paper_runs, "ORDERS", {"L2": 0})

    def ends(name, *steps):
        folder = tmp_path / name
        for count in steps:
            command = f"{COMMAND} --adam {count} --output {folder} --states {folder / 'states'}"
            assert paper_runs.main(command.split()) == 0
        return rows(folder / "paper_architectures.csv")

    at_once, in_two = ends("a", 4), ends("b", 2, 4)
    assert [row["step"] for row in at_once[::9]] == ["0", "4"]
    for row, same in zip(at_once, in_two, strict=True):
        assert {**row, "seconds": ""} == {**same, "seconds": ""}


def test_the_table_has_means_quartiles_and_factors_of_paired_seeds():
    seeds = 6
    of_l2 = np.stack([np.full((9 * seeds, 2), 4.0), np.linspace(1.0, 2.0, 9 * seeds)[:, None] * np.ones(2)])

    def part(name, errors):
        seconds = [0.0, 4.0] if name.endswith("H1") else [0.0, 3.0]
        return Part(name, 500, 500, None, None, records=list(errors), seconds=seconds)

    of_h1 = of_l2 / [[[1.0]], [[2.0]]]
    of_h1[1, 0] = 2e5
    parts = {"adam-L2": part("adam-L2", of_l2), "adam-H1": part("adam-H1", of_h1)}
    found = paper_table.tables(parts)
    table = list(csv.DictReader(found["paper_architectures.csv"]))
    assert len(table) == 2 * 2 * 9
    last = [row for row in table if (row["loss"], row["step"]) == ("H1", "500")]
    assert last[0]["runs"] == "5"  # one is above 1e5, and is no part of the mean
    assert float(last[0]["mean_of_runs"]) < 1.0
    assert [last[4][name] for name in ("factor", "low", "high", "seconds")] == ["2", "2", "2", "4"]
    ladder = list(csv.DictReader(found["ladder_architectures.csv"]))
    of_network = [row for row in ladder if (row["network"], row["target"]) == ("fourier", "f2")]
    assert [(row["change"], row["l2_steps"], row["steps"], row["factor"]) for row in of_network] == [
        ("the paper's: after Adam", "500", "500", "2"),
        ("equal time", "500", "0", f"{np.median(of_l2[1, 4 * seeds : 5 * seeds, 0]) / 4:.4g}"),
    ]
    assert last[4]["median"] == f"{np.median(of_h1[1, 4 * seeds : 5 * seeds, 0]):.4g}"
