"""A page for every notebook of examples/, with the outputs that are kept in it: text, formulas and pictures."""

import base64
import json
import re
from html import escape
from pathlib import Path

from mkdocs.structure.files import File, Files

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def on_files(files: Files, config) -> Files:
    """Pages `notebooks/NAME.md`, and their pictures beside them, that no file of docs/ holds."""
    for path in sorted(EXAMPLES.glob("*.ipynb")):
        notebook = json.loads(path.read_text())
        for name, content in pages(path.stem, notebook).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def pages(name: str, notebook: dict) -> dict[str, str | bytes]:
    """The page in Markdown, and its pictures."""
    pictures: dict[str, str | bytes] = {}
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        printed = ""
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data or "text/latex" in data:
                parts, printed = [*parts, *block(printed)], ""
            if "image/png" in data:
                picture = f"{name}-{len(pictures) + 1}.png"
                pictures[picture] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![What the code above draws]({picture})")
            elif "text/latex" in data:
                parts.append("$$" + "".join(data["text/latex"]).strip("$ \n").removeprefix("\\displaystyle") + "$$")
            else:
                printed += "".join(output.get("text", data.get("text/plain", "")))
        parts += block(printed)
    title, _, rest = "\n\n".join(parts).partition("\n")
    lead = f"`examples/{name}.ipynb`, as it ran last; `python -m examples {name}` runs it again.\n"
    return {f"{name}.md": f"{title}\n\n{lead}\n{rest}\n", **pictures}


def block(printed: str) -> list[str]:
    """What was printed without a picture or a formula in between."""
    text = COLOUR.sub("", printed).rstrip()
    return [f'<pre class="output">{escape(text)}</pre>'] if text else []
