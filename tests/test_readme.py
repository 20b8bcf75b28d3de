"""The README's code runs as printed."""

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", README, flags=re.DOTALL)


def test_every_code_block_prints_what_stands_below_it():
    assert len(EXAMPLES) == len(re.findall("```python", README)) >= 4
    names: dict[str, object] = {}
    for code, expected in EXAMPLES:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == expected


def test_the_first_lines_give_the_two_commands():
    assert re.findall(r"^    (make \w+)", README, flags=re.MULTILINE)[:2] == ["make verify", "make test"]
