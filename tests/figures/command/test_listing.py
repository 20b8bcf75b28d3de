"""`python -m figures --list`: names, times, states and descriptions."""

import re
import subprocess
import sys
from pathlib import Path

from figures.__main__ import main
from figures.kept import Keep, cache
from tests.figures.command.figures_of_no_time import change, names

ROOT = Path(__file__).parents[3]


def listed(capsys, *arguments):
    """The rows of --list: name -> (time, status, description)."""
    capsys.readouterr()
    assert main(["--list", *map(str, arguments)]) == 0
    rows = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    return {name: tuple(rest) for name, *rest in rows}


def test_it_has_expected_times_before_anything_was_computed(tmp_path, capsys, experiment):
    assert listed(capsys, "--output", tmp_path) == {
        "line": ("about 30 s", "not computed", "A line"),
        "points": ("about 1 min", "not computed", "Some points"),
    }
    assert names(tmp_path) == []


def test_it_has_the_time_that_was_measured_whether_the_data_is_current_or_stale(tmp_path, capsys, monkeypatch):
    main(["--output", str(tmp_path)])
    time, status, _ = listed(capsys, "--output", tmp_path)["line"]
    assert re.fullmatch(r"[\de.-]+ s", time)
    assert status == "current"
    monkeypatch.setattr(cache, "fingerprint", lambda *_: "another")
    assert listed(capsys, "--output", tmp_path)["line"][:2] == (time, "stale")


def test_it_counts_the_cells_of_an_interrupted_experiment(tmp_path, capsys, experiment):
    experiment.counter.interrupted_at = 1
    assert main(["points", "--output", str(tmp_path)]) == 130
    assert listed(capsys, "points", "--output", tmp_path)["points"][1] == "interrupted, 1 cell kept"


def test_it_tells_of_a_checkpoint_in_the_first_cell(tmp_path, capsys, experiment):
    def interrupted(keep=Keep()):
        keep.checkpoint("point0").touch()
        raise KeyboardInterrupt

    change(experiment, data=interrupted)
    assert main(["points", "--output", str(tmp_path)]) == 130
    assert listed(capsys, "points", "--output", tmp_path)["points"][1] == "interrupted, checkpoint kept"


def test_groups_stand_for_their_figures(tmp_path, capsys, experiment):
    for group, figure in (("theory", "line"), ("experiments", "points")):
        assert listed(capsys, group, "--output", tmp_path).keys() == {figure}


def test_files_of_the_paper_setting_are_not_those_of_the_usual_one(tmp_path, capsys, experiment):
    main(["points", "--paper", "--output", str(tmp_path)])
    assert listed(capsys, "points", "--output", tmp_path)["points"][1] == "not computed"
    assert listed(capsys, "points", "--paper", "--output", tmp_path)["points"][1] == "current"


def test_data_is_stale_when_a_file_in_the_folder_has_changed(tmp_path, capsys, experiment):
    folder = tmp_path / "digits"
    folder.mkdir()
    request = ("points", "--mnist", folder, "--output", tmp_path / "out")
    main(list(map(str, request)))
    assert listed(capsys, *request)["points"][1] == "current"
    (folder / "labels").write_bytes(b"new")
    assert listed(capsys, *request)["points"][1] == "stale"


def test_a_missing_package_is_named(tmp_path, capsys, monkeypatch, experiment):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert listed(capsys, "--output", tmp_path)["points"] == ("-", "needs scikit-learn", "Some points")


def test_that_of_the_checkout_needs_no_matplotlib_and_names_every_module_of_a_figure():
    program = "import sys; sys.modules['matplotlib'] = None; from figures.__main__ import main; main(['--list'])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    figures, _, found = result.stdout.partition("\n\n")  # what was found stands below
    first_words = {line.split()[0] for line in figures.splitlines()}
    assert found.startswith("architectures. ")
    modules = {path.stem for group in ("theory", "experiments") for path in (ROOT / "figures" / group).glob("*.py")}
    assert first_words == modules - {"__init__"}
    assert result.stderr == ""
