"""What commands owe their streams, whatever they print and whatever they refuse."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sobolev_theory.runs import command_lines

ROOT = Path(__file__).parents[2]
# Loaded as a file, a command starts in no time, and so a hundred of them do.
PROGRAM = f"""
import argparse, importlib.util, sys
spec = importlib.util.spec_from_file_location("command_lines", {command_lines.__file__!r})
command_lines = importlib.util.module_from_spec(spec)
spec.loader.exec_module(command_lines)

def a_line():
    print("said")
    return 0

def much():
    for _ in range(10**4):
        print("said")
    return 0

def characters():
    print("\\u03b8 \\udce9")
    return 0

def usage():
    argparse.ArgumentParser(description="said").parse_args(["--help"])

def broken():
    raise BrokenPipeError(32, "Broken pipe")

def refusal():
    command_lines.complain("refused")
    return 2

def usage_error():
    argparse.ArgumentParser().parse_args(["--what"])

sys.exit(command_lines.run(globals()[sys.argv[1]], "command"))
"""
PRINTING, REFUSING = ("a_line", "much", "characters", "usage"), ("refusal", "usage_error")
NO_INPUT = ("", "<&-")


def run(what, redirection, **environment):
    line = f'"{sys.executable}" -c "$PROGRAM" {what} {redirection}'
    return subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        env=os.environ | {"PROGRAM": PROGRAM, "PYTHONUNBUFFERED": ""} | environment,
    )


@pytest.mark.parametrize(("what", "errors", "no_input"), list(itertools.product(PRINTING, ("", "2>&1"), NO_INPUT)))
def test_a_reader_who_has_seen_enough_ends_it_without_a_word(what, errors, no_input):
    assert run(what, f"{errors} {no_input} | true").stderr == ""
    first = run(what, f"{errors} {no_input} | head -1")
    assert first.stderr == ""
    assert first.stdout.count("\n") == 1


@pytest.mark.parametrize("what", PRINTING)
def test_a_full_device_is_told_in_one_line(what):
    result = run(what, "> /dev/full")
    assert (result.returncode, result.stderr) == (1, "command: error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize(("what", "errors"), list(itertools.product(PRINTING, ("2>&-", "2>/dev/full"))))
def test_without_standard_error_it_says_the_same(what, errors):
    result = run(what, errors)
    assert (result.returncode, result.stdout) == (0, run(what, "").stdout)
    assert result.stdout


@pytest.mark.parametrize(("what", "no_input"), list(itertools.product(PRINTING, NO_INPUT)))
def test_without_standard_output_it_ends_well(what, no_input):
    result = run(what, f">&- {no_input}")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", ">&-", ">/dev/full", ">/dev/full 2>&1", ">&- 2>&- <&-"])
@pytest.mark.parametrize("what", REFUSING)
def test_a_refusal_keeps_its_status_and_prints_nothing_else(what, streams):
    result = run(what, streams)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["ascii", "C"],
)
def test_characters_that_a_stream_does_not_have_are_escaped(environment):
    result = run("characters", "", **environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(r"\u03b8")


def test_an_error_that_is_not_the_readers_is_told():
    """A pipe to a worker may break too."""
    result = run("broken", "")
    assert (result.returncode, result.stderr) == (1, "command: error: [Errno 32] Broken pipe\n")


@pytest.mark.parametrize(
    ("command", "streams", "output", "errors"),
    [
        ("figures --list", "> /dev/full", False, 1),
        ("studies.basins --show", "| true", False, 0),
        ("benchmarks --list", "> /dev/full", False, 1),
    ],
)
def test_the_commands_are_held_to_it(command, streams, output, errors):
    line = f'"{sys.executable}" -m {command} {streams}'
    result = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert (bool(result.stdout), result.stderr.count("\n")) == (output, errors)


def test_a_figure_is_drawn_without_a_home_a_width_and_standard_error(tmp_path):
    line = f'"{sys.executable}" -m figures basins --output {tmp_path} 2>&-'
    environment = os.environ | {"HOME": "/nonexistent", "COLUMNS": "none"}
    result = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert result.stdout == f"figures: wrote basins.pdf in {tmp_path} (1 computed, 0 from kept data)\n"
    assert result.returncode == 0
