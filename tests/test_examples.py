"""The notebooks in examples/ run from top to bottom, and are kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
EXECUTION_LIMIT = 300  # seconds for one cell on a busy machine; the whole notebook takes a fifth of it on an idle one


def test_there_is_a_notebook_to_start_with():
    assert "getting_started.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_valid_and_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    # Kernel files, settings and histories stay in the temporary folder; the kernel is this interpreter's own.
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".jax_cache"))
    for name in ("MPLBACKEND", "JUPYTER_PATH"):
        monkeypatch.delenv(name, raising=False)
    notebook = nbformat.read(path, as_version=4)
    folder = tmp_path / "work"
    folder.mkdir()
    resources = {"metadata": {"path": str(folder)}}
    executed = NotebookClient(notebook, timeout=EXECUTION_LIMIT, kernel_name="python3", resources=resources).execute()
    warnings = [output.text for output in _outputs(executed) if output.get("name") == "stderr"]
    assert warnings == []
    pictures = [output for output in _outputs(executed) if "image/png" in output.get("data", {})]
    assert pictures
    assert list(folder.iterdir()) == []


def _outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
