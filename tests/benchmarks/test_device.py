"""The script for an accelerator: it says what it did not run, and its comparison sees a wrong number."""

import json
import time

import numpy as np
import pytest

import sobolev_theory as st
from benchmarks import device


def test_parts_that_fail_or_come_too_late_are_rows_that_say_so(monkeypatch):
    def failing(size):
        yield {"what": "first"}
        raise ValueError("wrong")

    parts = {
        "good": lambda size: iter([{"what": "row"}]),
        "bad": failing,
        "next": lambda size: iter([{"what": "on"}]),
    }
    monkeypatch.setattr(device, "PARTS", parts)
    rows = [row["what"] for row in device.rows_until(time.monotonic() + 60, device.SMALL)]
    assert rows == ["row", "first", "failed: ValueError: wrong", "on"]
    assert [row["what"] for row in device.rows_until(time.monotonic() - 1, device.SMALL)] == 3 * [
        "not run: no time left"
    ]


def test_a_deviation_is_counted_in_roundings_of_the_largest_value(monkeypatch):
    monkeypatch.setattr(device, "FUNCTIONS", {"two numbers": None})
    monkeypatch.setattr(device, "_accelerator", lambda: "accelerator")

    def on(where, function, rows, scale, dtype):
        return np.array([4.0, 1.0]) + (16 * np.finfo(dtype).eps if where == "accelerator" else 0.0)

    monkeypatch.setattr(device, "_on", on)
    found = [row["eps from the CPU"] for row in device.numbers_against_the_cpu(device.SMALL)]
    assert found == 4 * [4.0]


@pytest.mark.parametrize("part", ["numbers"])
def test_the_script_runs_at_small_size_on_the_cpu(part, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(device, "PARTS", {part: device.PARTS[part]})
    monkeypatch.setattr(device, "FUNCTIONS", {"population_loss": st.population_loss})
    assert device.main(["--small", "--output", str(tmp_path / "rows.json")]) == 0
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert all(row["eps from the CPU"] == 0 for row in rows)
    assert capsys.readouterr().out.splitlines()[-1] == "4 rows measured, 0 parts failed or cut short"
