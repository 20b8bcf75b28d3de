"""`python -m figures`: what it lists, writes, reuses and refuses, with a figure that takes no time."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from figures import FIGURES, style
from figures.__main__ import main

ROOT = Path(__file__).parents[2]
SIGNATURES = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


def data(track=iter):
    data.calls += 1
    return {"y": np.array(list(track([1.0, 2.0])))}


@style.paper()
def draw(arrays):
    figure = style.new_figure(height=1.0)
    figure.subplots().plot(arrays["y"])
    return figure


@pytest.fixture(autouse=True)
def _one_figure(monkeypatch):
    data.calls = 0
    monkeypatch.setitem(sys.modules, "figures.line", SimpleNamespace(data=data, draw=draw))
    for name in list(FIGURES):
        monkeypatch.delitem(FIGURES, name)
    monkeypatch.setitem(FIGURES, "line", "a line")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_list_describes_every_figure(capsys):
    assert main(["--list"]) == 0
    assert capsys.readouterr().out == "line  a line\n"


@pytest.mark.parametrize("file_format", ["png", "pdf", "svg"])
def test_writes_the_figure_and_its_data_and_nothing_else(tmp_path, capsys, file_format):
    assert main(["line", "--output", str(tmp_path / "new" / "folder"), "--format", file_format]) == 0
    folder = tmp_path / "new" / "folder"
    assert names(folder) == sorted(["line.npz", f"line.{file_format}"])
    assert (folder / f"line.{file_format}").read_bytes().startswith(SIGNATURES[file_format])
    captured = capsys.readouterr()
    written = f"figures: wrote line.{file_format} in {folder} (1 computed, 0 from kept data)\n"
    assert (captured.out, captured.err) == (written, "")


def test_all_figures_by_default_and_each_once(tmp_path, capsys):
    assert main(["--output", str(tmp_path)]) == 0
    assert main(["line", "line", "--output", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"figures: wrote line.pdf in {tmp_path} (0 computed, 1 from kept data)"


def test_kept_data_is_used_until_asked_for_fresh(tmp_path):
    for arguments, calls in (([], 1), ([], 1), (["--fresh"], 2)):
        main(["--output", str(tmp_path), *arguments])
        assert data.calls == calls


@pytest.mark.parametrize("file_format", ["png", "pdf", "svg"])
def test_the_same_data_gives_the_same_bytes_on_another_day(tmp_path, monkeypatch, file_format):
    pictures = set()
    for day in (0, 1):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(day * 86400))
        main(["--output", str(tmp_path / str(day)), "--format", file_format])
        pictures.add((tmp_path / str(day) / f"line.{file_format}").read_bytes())
    assert len(pictures) == 1


def test_a_failing_drawing_leaves_no_file(tmp_path, monkeypatch):
    def fail(figure, path, file_format):
        path.write_text("half")
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(style, "save", fail)
    with pytest.raises(RuntimeError, match="on fire"):
        main(["--output", str(tmp_path)])
    assert names(tmp_path) == ["line.npz"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["circle", "line", "square"], "NAME: got circle, square; needs names among line"),
        (["--output", "{file}/folder"], "--output: got {file}/folder; needs a folder to write in (Not a directory)"),
        (["--output", "{file}"], "--output: got {file}; needs a folder to write in (File exists)"),
        (["--format", "bmp"], "argument --format: invalid choice: 'bmp'"),
    ],
)
def test_requests_that_cannot_be_met_exit_with_2_and_say_why(tmp_path, capsys, arguments, message):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        main([argument.format(file=file) for argument in arguments])
    assert stop.value.code == 2
    assert message.format(file=file) in capsys.readouterr().err
    assert data.calls == 0


def test_an_interruption_is_reported_without_a_traceback(tmp_path, capsys, monkeypatch):
    def interrupted(track=iter):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["figures.line"], "data", interrupted)
    assert main(["--output", str(tmp_path)]) == 130
    assert names(tmp_path) == []
    assert capsys.readouterr().err.startswith("figures: interrupted")


def test_without_matplotlib_the_message_says_what_to_install():
    program = "import sys; sys.modules['matplotlib'] = None; from figures.__main__ import main; main([])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2
    assert 'pip install "sobolev-theory[figures]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_the_list_of_the_checkout_needs_no_matplotlib_and_names_modules():
    program = "import sys; sys.modules['matplotlib'] = None; from figures.__main__ import main; main(['--list'])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in result.stdout.splitlines()}
    modules = {path.stem for path in (ROOT / "figures").glob("*.py")}
    assert listed == modules - {"__init__", "__main__", "files", "style"}
    assert result.stderr == ""
