"""`python -m examples [NAME ...]`: run the notebooks and keep their outputs in them, for the documentation."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient

from sobolev_theory.runs import command_lines
from sobolev_theory.runs.atomic_files import replacing

HERE = Path(__file__).parent
ROOT = HERE.parent
NOTEBOOKS = {path.stem: path for path in sorted(HERE.glob("*.ipynb"))}
LIMIT = 300  # seconds for one cell on a busy machine; a whole notebook takes a fifth of it on an idle one
FOLDERS = ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in an empty folder by a kernel whose own files stay in `folder`, too."""
    work = folder / "work"
    work.mkdir()
    settings = {name: str(folder / name.lower()) for name in FOLDERS}
    settings |= {"PYTHONPATH": str(ROOT), "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".jax_cache")}
    inherited = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "JUPYTER_PATH")}
    with mock.patch.dict(os.environ, inherited | settings, clear=True):
        notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(work)}}
        return NotebookClient(
            notebook,
            timeout=LIMIT,
            startup_timeout=LIMIT,
            kernel_name="python3",
            resources=resources,
            record_timing=False,
        ).execute()


def main(names: Sequence[str] = ()) -> int:
    if unknown := set(names) - set(NOTEBOOKS):
        command_lines.complain(f"NAME: got {', '.join(sorted(unknown))}; needs some of {', '.join(NOTEBOOKS)}")
        return 2
    for name in names or NOTEBOOKS:
        with tempfile.TemporaryDirectory() as folder:
            notebook = executed(NOTEBOOKS[name], Path(folder))
        notebook.metadata.language_info = {"name": "python"}  # its version says nothing of the notebook
        with replacing(NOTEBOOKS[name]) as temporary:
            nbformat.write(notebook, temporary)
        print(f"examples: kept the outputs of {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(lambda: main(sys.argv[1:]), "python -m examples"))
