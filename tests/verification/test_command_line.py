"""Options, exit statuses and messages of python -m verification."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import verification.__main__ as command
from verification.claim import Evidence, Result, Verdict
from verification.claims import CLAIMS
from verification.twins import scaled

CHEAP = ["pair/slope-kernel", "--samples", str(2**14), "--jobs", "1"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    """Nothing is read from or left in the user's folders."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "sobolev_theory" / "verification"


def outcome(capsys, *arguments: str) -> tuple[int, str, str]:
    status = command.main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_claim_that_holds_ends_with_status_0(capsys):
    status, out, _ = outcome(capsys, *CHEAP)
    assert status == 0
    assert out.rstrip().endswith("1 proved; all as expected.")


def test_a_wrong_formula_ends_with_status_1(capsys, monkeypatch):
    claim = next(c for c in CLAIMS if c.id == CHEAP[0])
    wrong = dataclasses.replace(claim, formula=scaled(claim.formula))
    monkeypatch.setattr(command, "CLAIMS", (wrong,))
    status, out, _ = outcome(capsys, *CHEAP)
    assert status == 1
    assert f"NOT as expected: {claim.id}" in out


def test_a_crash_ends_with_status_1(capsys, monkeypatch):
    def broken(_):
        raise RuntimeError("no value")

    claim = dataclasses.replace(next(c for c in CLAIMS if c.id == CHEAP[0]), formula=broken)
    monkeypatch.setattr(command, "CLAIMS", (claim,))
    status, out, _ = outcome(capsys, *CHEAP)
    assert status == 1
    assert "RuntimeError: no value" in out


def test_the_table_of_all_checks_is_printed_where_it_is_asked_for(capsys, monkeypatch):
    evidence = Evidence("quadrature", Verdict.SUPPORTED, 2, 8, 1e-16, 1e-12)
    monkeypatch.setattr(command, "CLAIMS", CLAIMS[:1])
    monkeypatch.setattr(
        command, "run", lambda claims, *_, **__: [Result(c, (evidence,), Verdict.SUPPORTED) for c in claims]
    )
    _, short, _ = outcome(capsys)
    _, long, _ = outcome(capsys, "--table")
    _, named, _ = outcome(capsys, CLAIMS[0].id)
    assert "quadrature" not in short
    assert "quadrature" in long
    assert long.splitlines()[:-1] == named.splitlines()[:-1]  # the last has the time
    assert long.splitlines()[:-1][-len(short.splitlines()) + 1 :] == short.splitlines()[:-1]


def test_output_is_a_file_with_the_record(capsys, tmp_path):
    path = tmp_path / "results.json"
    assert outcome(capsys, *CHEAP, "--output", str(path), "--seed", "3")[0] == 0
    record = json.loads(path.read_text())
    assert record["as_expected"] is True
    assert record["settings"]["seed"] == 3
    assert [claim["id"] for claim in record["claims"]] == ["pair/slope-kernel"]
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_output_in_a_pipe_has_no_control_characters_and_no_progress(capsys):
    _, out, err = outcome(capsys, *CHEAP)
    assert "\x1b" not in out
    assert err == ""


def test_list_names_every_claim(capsys):
    status, out, _ = outcome(capsys, "--list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[:-1]] == [claim.id for claim in CLAIMS]


def test_patterns_pick_claims(capsys):
    _, out, _ = outcome(capsys, "--list", "pair/*", "networks/h1-loss")
    picked = [line.split()[0] for line in out.splitlines()[:-1]]
    assert picked == [c.id for c in CLAIMS if c.id.startswith("pair/") or c.id == "networks/h1-loss"]


def test_quick_and_deep_are_settings_and_samples_prevails():
    quick = command.settings_of(command.parser().parse_args(["--quick"]))
    assert command.settings_of(command.parser().parse_args(["--deep"])) == command.DEEP
    chosen = command.settings_of(command.parser().parse_args(["--quick", "--samples", "20000"]))
    assert quick == command.QUICK
    assert chosen == dataclasses.replace(quick, samples=20000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pair/nothing"], "CLAIM: got 'pair/nothing', which matches none; needs one of\n  one-neuron/l2-loss"),
        (["--samples", "1"], "--samples: got 1; needs a whole number >= 16384"),
        (["--samples", "many"], "--samples: got 'many'; needs a whole number >= 16384"),
        (["--seed", "-1"], "--seed: got -1; needs a whole number from 0 to 4294967295"),
        (["--jobs", "0"], "--jobs: got 0; needs a whole number >= 1"),
        (
            ["--output", "no/such/folder/file.json"],
            "--output: got no/such/folder/file.json; needs an existing",
        ),
        (["--output", "."], "--output: got ., a folder; needs the name of a file"),
        (["--html", "no/such/folder/page.html"], "--html: got no/such/folder/page.html; needs an existing"),
        (["--quick", "--deep"], "not allowed with argument"),
        (["--sample"], "--sample"),
    ],
)
def test_bad_input_ends_with_status_2_and_a_message(capsys, arguments, message):
    status, out, err = outcome(capsys, *arguments)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_found_before_the_work(capsys, tmp_path):
    tmp_path.chmod(0o500)
    status, _, err = outcome(capsys, "--output", str(tmp_path / "results.json"))
    assert status == 2
    assert "needs a folder one may write to" in err


def test_bad_input_gives_no_traceback_in_a_process():
    command_line = [sys.executable, "-m", "verification", "--samples", "1"]
    found = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1


def test_a_second_run_knows_the_first(capsys, own_cache):
    _, first, _ = outcome(capsys, *CHEAP)
    _, second, _ = outcome(capsys, *CHEAP)
    assert own_cache.is_dir()
    assert "known from earlier runs" not in first
    assert "checks (4 known from earlier runs)" in second
    assert second.splitlines()[1:-1] == first.splitlines()[1:-1]


def test_without_a_folder_to_keep_results_in_it_works_all_the_same(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    status, out, err = outcome(capsys, *CHEAP, "--cache", str(tmp_path / "file"))
    assert (status, err) == (0, "")
    assert out.rstrip().endswith("all as expected.")


def test_an_interruption_ends_with_one_clear_line(capsys, monkeypatch):
    def interrupted(claims, settings, advance, **_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", interrupted)
    status, out, err = outcome(capsys, *CHEAP)
    assert (status, out) == (130, "")
    assert err == "Interrupted: 0 checks are kept, and the same command goes on from there.\n"


def gone(group: int) -> bool:
    """Within five seconds: the process that watches over the others' resources ends last, by itself."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_ctrl_c_leaves_no_process_and_no_half_written_file(own_cache):
    """Ctrl-C reaches the whole group: the command and its processes, here at work on 2^30 samples."""
    arguments = ["--jobs", "2", "--samples", str(2**30), "pair/slope-kernel"]
    process = subprocess.Popen(
        [sys.executable, "-m", "verification", *arguments],
        **{"cwd": ROOT, "stderr": subprocess.PIPE, "text": True, "start_new_session": True},
    )
    deadline = time.monotonic() + 60
    while not (own_cache / "averages").is_dir() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)  # until the processes are starting or at work
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.startswith("Interrupted: ")
    assert err.count("\n") == 1
    assert gone(process.pid)
    assert not list(own_cache.rglob(".*"))


def test_the_page_is_written_where_told(capsys, tmp_path):
    path = tmp_path / "page.html"
    assert outcome(capsys, *CHEAP, "--html", str(path))[0] == 0
    assert path.read_text().startswith("<!DOCTYPE html>")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("flint", 'needs python-flint: pip install "sobolev-theory[verification]"'),
        ("latex2mathml", 'needs latex2mathml: pip install "sobolev-theory[verification]"'),
    ],
)
def test_an_absent_package_is_named_with_its_cure(absent, message):
    run = (
        f"import sys; sys.modules['{absent}'] = None; import verification.__main__ as v; v.main(['--html', 'x.html'])"
    )
    found = subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=False)
    assert message in found.stderr.splitlines()[-1]
