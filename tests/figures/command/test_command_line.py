"""`python -m figures`: what it writes, reuses and refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

from figures import style
from figures.__main__ import main
from figures.problems import datasets
from tests.figures.command.figures_of_no_time import change, names

ROOT = Path(__file__).parents[3]
SIGNATURES = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


def test_an_interrupted_experiment_goes_on_after_its_last_cell_and_leaves_none(tmp_path, experiment):
    experiment.counter.interrupted_at = 1
    assert main(["points", "--output", str(tmp_path)]) == 130
    experiment.counter.interrupted_at = None
    assert main(["points", "--output", str(tmp_path)]) == 0
    assert experiment.counter.computed == [0, 1]
    assert names(tmp_path) == ["points.npz", "points.pdf"]


def test_fresh_uses_no_cells(tmp_path, experiment):
    experiment.counter.interrupted_at = 1
    main(["points", "--output", str(tmp_path)])
    experiment.counter.interrupted_at = None
    main(["points", "--output", str(tmp_path), "--fresh"])
    assert experiment.counter.computed == [0, 0, 1]


def test_an_experiment_prints_the_statement_of_the_paper_and_what_was_found(tmp_path, capsys, experiment):
    assert main(["points", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["points: Points are better.", "  sum 3"]


def test_the_paper_setting_has_files_of_its_own(tmp_path, experiment):
    assert main(["experiments", "--paper", "--output", str(tmp_path)]) == 0
    assert experiment.counter.asked == {"paper": True, "mnist": None}
    assert names(tmp_path) == ["points-paper.npz", "points-paper.pdf"]


def test_without_names_figures_that_have_no_paper_setting_are_drawn_as_usual(tmp_path, experiment):
    assert main(["--paper", "--output", str(tmp_path)]) == 0
    assert names(tmp_path) == ["line.npz", "line.pdf", "points-paper.npz", "points-paper.pdf"]


def test_a_folder_goes_to_the_figures_that_take_it(tmp_path, experiment):
    folder = tmp_path / "digits"
    folder.mkdir()
    assert main(["points", "line", "--mnist", str(folder), "--output", str(tmp_path / "out")]) == 0
    assert experiment.counter.asked == {"paper": False, "mnist": folder}
    assert names(tmp_path / "out") == ["line.npz", "line.pdf", "points-mnist.npz", "points-mnist.pdf"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["line", "--paper"], "--paper: line has no paper setting"),
        (["points", "line", "--paper"], "--paper: line has no paper setting"),
        (["points", "--images", "."], "--images: none of points takes it"),
        (["points", "--mnist", "absent"], "--mnist: got absent; needs a folder that exists"),
    ],
)
def test_settings_that_a_figure_cannot_meet_are_refused_at_once(tmp_path, capsys, experiment, arguments, message):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--output", str(tmp_path)])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert names(tmp_path) == []


def test_a_paper_setting_that_needs_a_folder_is_refused_at_once_without_it(tmp_path, capsys, experiment):
    change(experiment, paper_needs="mnist")
    with pytest.raises(SystemExit):
        main(["--paper", "--output", str(tmp_path)])
    assert "--paper: points needs --mnist FOLDER for it" in capsys.readouterr().err
    assert names(tmp_path) == []
    assert main(["points", "--paper", "--mnist", str(tmp_path), "--output", str(tmp_path / "out")]) == 0


def test_a_file_that_cannot_be_read_is_reported_without_a_traceback(tmp_path, capsys, monkeypatch, experiment):
    def damaged(i):
        raise datasets.DataError("folder/digits: has 3 bytes")

    monkeypatch.setattr(experiment.counter, "compute", damaged)
    with pytest.raises(SystemExit) as stop:
        main(["points", "--output", str(tmp_path)])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "python -m figures: error: folder/digits: has 3 bytes\n"


def test_a_missing_package_is_named_with_the_extra_before_anything_is_drawn(
    tmp_path, capsys, monkeypatch, experiment
):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(SystemExit) as stop:
        main(["line", "points", "--output", str(tmp_path)])
    assert stop.value.code == 2
    message = 'points needs scikit-learn, not installed; the extra for it: pip install "sobolev-theory[experiments]"'
    assert message in capsys.readouterr().err
    assert names(tmp_path) == []


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


def test_kept_data_is_used_until_asked_for_fresh(tmp_path, line):
    for arguments, calls in (([], 1), ([], 1), (["--fresh"], 2)):
        main(["--output", str(tmp_path), *arguments])
        assert line.counter.calls == calls


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
        (["circle", "line", "square"], "NAME: got circle, square; needs names among line, theory, experiments"),
        (["--output", "{file}/folder"], "--output: got {file}/folder; needs a folder to write in (Not a directory)"),
        (["--output", "{file}"], "--output: got {file}; needs a folder to write in (File exists)"),
        (["--format", "bmp"], "argument --format: invalid choice: 'bmp'"),
    ],
)
def test_requests_that_cannot_be_met_exit_with_2_and_say_why(tmp_path, capsys, line, arguments, message):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        main([argument.format(file=file) for argument in arguments])
    assert stop.value.code == 2
    assert message.format(file=file) in capsys.readouterr().err
    assert line.counter.calls == 0


def test_an_interruption_is_reported_without_a_traceback(tmp_path, capsys, line):
    def interrupted(keep):
        raise KeyboardInterrupt

    change(line, data=interrupted)
    assert main(["--output", str(tmp_path)]) == 130
    assert names(tmp_path) == []
    assert capsys.readouterr().err.startswith(f"figures: interrupted; what was finished is in {tmp_path}")


def test_without_matplotlib_the_message_says_what_to_install():
    program = "import sys; sys.modules['matplotlib'] = None; from figures.__main__ import main; main([])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2
    assert 'pip install "sobolev-theory[figures]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_a_module_without_a_figure_is_named(tmp_path, capsys, line):
    del line.FIGURE
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path)])
    assert "line.py: has no figure; needs to end with FIGURE = Figure(...)" in capsys.readouterr().err
