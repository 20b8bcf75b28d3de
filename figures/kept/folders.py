"""Folders that people give: the files that they mean, without those that systems and tools leave there."""

import os
from pathlib import Path

FOREIGN = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none that a person put there.

    Names that begin with a dot are hidden on Unix: .git, .ipynb_checkpoints, .DS_Store, macOS's ._a.png. The others
    are of archives of macOS, of network storage and of disks.

    Example:
        >>> [name for name in ("a.png", "._a.png", ".git", "__MACOSX") if not is_hidden(name)]
        ['a.png']
    """
    return name.startswith(".") or name in FOREIGN


def visible_files(folder: Path) -> list[Path]:
    """The files in it and in the folders in it, by name; it may itself be hidden, or lie in a folder that is."""
    found = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        found += [Path(at) / name for name in names if not is_hidden(name)]
    return sorted(found)


def visible_folders(folder: Path) -> list[Path]:
    """The folders in it, by name."""
    return sorted(each for each in folder.iterdir() if each.is_dir() and not is_hidden(each.name))
