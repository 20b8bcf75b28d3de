"""Commands under what an environment may lack: streams, readers, room, a home, characters, a width."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMANDS = {
    "figures": ["figures", "--list"],
    "figures help": ["figures", "--help"],
    "studies": ["studies.basins", "--show"],
    "benchmarks": ["benchmarks", "--list"],
}
REFUSED = {
    "figures": ["figures", "none"],
    "studies": ["studies.basins", "--starts", "1"],
    "benchmarks": ["benchmarks", "none"],
}


def shell(command, redirection, **environment):
    line = f"{sys.executable} -m {' '.join(command)} {redirection}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_who_has_seen_enough_ends_it_without_a_word(command):
    # The reader is gone before the first line: what is printed would fit into the pipe.
    result = shell(command, "| true")
    assert result.stderr == ""


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_full_device_is_told_in_one_line(command):
    result = shell(command, "> /dev/full")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "error: [Errno 28] No space left on device" in result.stderr


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "<&-", "2>&- <&-"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_without_another_stream_it_prints_the_same(command, closed):
    result = shell(command, closed)
    assert (result.returncode, result.stdout) == (0, shell(command, "").stdout)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_without_standard_output_it_ends_well(command):
    result = shell(command, ">&-")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", ">&-", ">/dev/full", "> /dev/full 2>&1", ">&- 2>&- <&-"])
@pytest.mark.parametrize("command", REFUSED.values(), ids=REFUSED)
def test_a_refusal_keeps_its_status(command, closed):
    result = shell(command, closed)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": "/nonexistent"},
        {"HOME": ""},
        {"PYTHONIOENCODING": "ascii"},
        {"COLUMNS": "0"},
        {"COLUMNS": "many"},
        {"TERM": ""},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_it_needs_no_home_no_width_and_no_characters_beyond_ascii(command, environment):
    result = shell(command, "", **environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_figure_is_drawn_without_a_home_and_without_standard_error(tmp_path):
    result = shell(["figures", "basins", "--output", str(tmp_path)], "2>&-", HOME="/nonexistent")
    assert result.stdout.endswith(f"wrote basins.pdf in {tmp_path} (1 computed, 0 from kept data)\n")
    assert result.returncode == 0
