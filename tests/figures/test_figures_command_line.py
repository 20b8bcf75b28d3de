"""`python -m figures`: what it lists, writes, reuses and refuses, with a figure that takes no time."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from figures import EXPERIMENTS, FIGURES, datasets, files, style
from figures.__main__ import main
from figures.keep import Keep

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
    monkeypatch.setitem(sys.modules, "figures.line", SimpleNamespace(data=data, draw=draw, MINUTES=0.5))
    for name in list(FIGURES):
        monkeypatch.delitem(FIGURES, name)
    monkeypatch.setitem(FIGURES, "line", "a line")


def points(count=2, full=False, mnist=None, keep=Keep(), track=iter):  # noqa: B008
    """An experiment of one cell a point."""
    points.asked = {"full": full, "mnist": mnist}
    cells = [keep.cell(f"point{i}", lambda i=i: points.compute(i))["y"] for i in track(range(count))]
    return {"y": np.array(cells)}


@pytest.fixture
def experiment(monkeypatch):
    """A figure `points` beside the line."""
    points.computed = []
    points.compute = lambda i: points.computed.append(i) or {"y": np.array(i + 1.0)}
    module = SimpleNamespace(
        data=points, draw=draw, PAPER="Points are better.", finding=lambda arrays: [f"sum {arrays['y'].sum():.0f}"]
    )
    monkeypatch.setitem(sys.modules, "figures.points", module)
    monkeypatch.setitem(FIGURES, "points", "some points")
    monkeypatch.setitem(EXPERIMENTS, "points", "some points")
    return module


def interrupt_at(point, monkeypatch):
    def compute(i):
        if i == point:
            raise KeyboardInterrupt
        points.computed.append(i)
        return {"y": np.array(i + 1.0)}

    monkeypatch.setattr(points, "compute", compute)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def listed(capsys, *arguments):
    """The rows of --list: name -> (time, status, description)."""
    assert main(["--list", *map(str, arguments)]) == 0
    rows = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    return {name: tuple(rest) for name, *rest in rows}


def test_the_list_has_expected_times_before_anything_was_computed(tmp_path, capsys, experiment):
    assert listed(capsys, "--output", tmp_path) == {
        "line": ("about 30 s", "not computed", "a line"),
        "points": ("-", "not computed", "some points"),
    }
    assert names(tmp_path) == []


def test_the_list_has_the_time_that_was_measured_whether_the_data_is_current_or_stale(tmp_path, capsys, monkeypatch):
    main(["--output", str(tmp_path)])
    capsys.readouterr()
    time, status, _ = listed(capsys, "--output", tmp_path)["line"]
    assert re.fullmatch(r"[\de.-]+ s", time)
    assert status == "current"
    monkeypatch.setattr(files, "fingerprint", lambda *_: "another")
    assert listed(capsys, "--output", tmp_path)["line"][:2] == (time, "stale")


def test_the_list_counts_the_cells_of_an_interrupted_experiment(tmp_path, capsys, monkeypatch, experiment):
    interrupt_at(1, monkeypatch)
    assert main(["points", "--output", str(tmp_path)]) == 130
    capsys.readouterr()
    assert listed(capsys, "points", "--output", tmp_path)["points"][1] == "interrupted, 1 cell kept"


def test_the_list_tells_of_a_checkpoint_in_the_first_cell(tmp_path, capsys, monkeypatch, experiment):
    def interrupted(keep=Keep(), track=iter):  # noqa: B008
        keep.checkpoint("point0").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "data", interrupted)
    assert main(["points", "--output", str(tmp_path)]) == 130
    capsys.readouterr()
    assert listed(capsys, "points", "--output", tmp_path)["points"][1] == "interrupted, checkpoint kept"


def test_an_interrupted_experiment_goes_on_after_its_last_cell_and_leaves_none(tmp_path, monkeypatch, experiment):
    with monkeypatch.context() as patch:
        interrupt_at(1, patch)
        assert main(["points", "--output", str(tmp_path)]) == 130
    assert main(["points", "--output", str(tmp_path)]) == 0
    assert points.computed == [0, 1]
    assert names(tmp_path) == ["points.npz", "points.pdf"]


def test_fresh_uses_no_cells(tmp_path, monkeypatch, experiment):
    with monkeypatch.context() as patch:
        interrupt_at(1, patch)
        main(["points", "--output", str(tmp_path)])
    main(["points", "--output", str(tmp_path), "--fresh"])
    assert points.computed == [0, 0, 1]


def test_an_experiment_prints_the_statement_of_the_paper_and_what_was_found(tmp_path, capsys, experiment):
    assert main(["points", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["points: Points are better.", "  sum 3"]


def test_groups_stand_for_their_figures(tmp_path, capsys, experiment):
    for group, figure in (("theory", "line"), ("experiments", "points")):
        assert listed(capsys, group, "--output", tmp_path).keys() == {figure}


def test_the_full_setting_has_files_of_its_own(tmp_path, capsys, experiment):
    assert main(["experiments", "--full", "--output", str(tmp_path)]) == 0
    assert points.asked == {"full": True, "mnist": None}
    assert names(tmp_path) == ["points-full.npz", "points-full.pdf"]
    capsys.readouterr()
    assert listed(capsys, "points", "--output", tmp_path)["points"][1] == "not computed"
    assert listed(capsys, "points", "--full", "--output", tmp_path)["points"][1] == "current"


def test_without_names_figures_that_have_no_full_setting_are_drawn_as_usual(tmp_path, experiment):
    assert main(["--full", "--output", str(tmp_path)]) == 0
    assert names(tmp_path) == ["line.npz", "line.pdf", "points-full.npz", "points-full.pdf"]


def test_a_folder_goes_to_the_figures_that_take_it(tmp_path, experiment):
    folder = tmp_path / "digits"
    folder.mkdir()
    assert main(["points", "line", "--mnist", str(folder), "--output", str(tmp_path / "out")]) == 0
    assert points.asked == {"full": False, "mnist": folder}
    assert names(tmp_path / "out") == ["line.npz", "line.pdf", "points-mnist.npz", "points-mnist.pdf"]


def test_data_is_stale_when_a_file_in_the_folder_has_changed(tmp_path, capsys, experiment):
    folder = tmp_path / "digits"
    folder.mkdir()
    request = ("points", "--mnist", folder, "--output", tmp_path / "out")
    main(list(map(str, request)))
    capsys.readouterr()
    assert listed(capsys, *request)["points"][1] == "current"
    (folder / "labels").write_bytes(b"new")
    assert listed(capsys, *request)["points"][1] == "stale"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["line", "--full"], "--full: line has no full setting"),
        (["points", "line", "--full"], "--full: line has no full setting"),
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


def test_a_full_setting_that_needs_a_folder_is_refused_at_once_without_it(tmp_path, capsys, experiment):
    experiment.FULL_NEEDS = "mnist"
    with pytest.raises(SystemExit):
        main(["--full", "--output", str(tmp_path)])
    assert "--full: points needs --mnist FOLDER for it" in capsys.readouterr().err
    assert names(tmp_path) == []
    assert main(["points", "--full", "--mnist", str(tmp_path), "--output", str(tmp_path / "out")]) == 0


def test_a_file_that_cannot_be_read_is_reported_without_a_traceback(tmp_path, capsys, monkeypatch, experiment):
    def damaged(i):
        raise datasets.DataError("folder/digits: has 3 bytes")

    monkeypatch.setattr(points, "compute", damaged)
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
    assert listed(capsys, "--output", tmp_path)["points"][1] == "needs scikit-learn"


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
        (["circle", "line", "square"], "NAME: got circle, square; needs names among line, theory, experiments"),
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
    assert capsys.readouterr().err.startswith(f"figures: interrupted; what was finished is in {tmp_path}")


def test_without_matplotlib_the_message_says_what_to_install():
    program = "import sys; sys.modules['matplotlib'] = None; from figures.__main__ import main; main([])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2
    assert 'pip install "sobolev-theory[figures]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_the_list_of_the_checkout_needs_no_matplotlib_and_names_modules():
    program = "import sys; sys.modules['matplotlib'] = None; from figures.__main__ import main; main(['--list'])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    first_words = {line.split()[0] for line in result.stdout.splitlines()}
    drawing = {path.stem for path in (ROOT / "figures").glob("*.py") if "\ndef draw(" in path.read_text()}
    assert first_words == drawing
    assert result.stderr == ""
