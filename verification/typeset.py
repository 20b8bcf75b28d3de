"""Formulas as drawings: the LaTeX of a statement as inline SVG, at generation time, with nothing left to fetch.

matplotlib's mathtext lays the formula out in Computer Modern. Glyphs are outlined once per page and used by name.
A statement breaks into pieces at the commas, colons and spaces of its top level, between which a line may break; what
mathtext cannot parse is shown as source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import text_to_path

EM = text_to_path.FONT_SCALE  # units of the layout in one em
MARGIN = 0.08 * EM  # for what overhangs
# What the statements use and mathtext does not know.
SPELLINGS = (
    (re.compile(r"\\[td]?frac\s*([0-9a-z]|\\[a-z]+)\s*([0-9a-z]|\\[a-z]+)"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\[td]?frac\s*([0-9a-z]|\\[a-z]+)\s*\{"), r"\\frac{\1}{"),
    (re.compile(r"\\[td]frac"), r"\\frac"),
    (re.compile(r"\\(ge|le|ne)(?![a-zA-Z])"), r"\\\1q"),
    (re.compile(r"\^\*"), r"^{*}"),
    (re.compile(r"\\setminus(?![a-zA-Z])"), r"\\,\\backslash\\,"),
    (re.compile(r"\\operatorname\{(\w+)\}"), r"\\mathrm{\1}"),
    (re.compile(r"\\top(?![a-zA-Z])"), r"\\mathsf{T}"),
    (re.compile(r"\\[Bb]igg?[lr]?(?![a-zA-Z])"), r""),
    (re.compile(r"\\l?dots(?![a-zA-Z])"), r"\\ldots"),
)
COMMANDS = {
    Outline.MOVETO: "M",
    Outline.LINETO: "L",
    Outline.CURVE3: "Q",
    Outline.CURVE4: "C",
    Outline.CLOSEPOLY: "Z",
}


@dataclass
class Typesetter:
    """Formulas of one page: their drawings share the outlines of glyphs.

    Attributes:
        outlines: SVG path data by identifier, for `definitions`.
        sources: formulas that could not be typeset.
    """

    outlines: dict[str, str] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)

    def statement(self, latex: str) -> str:
        """HTML of a statement: drawings of its formulas and its words, in spans that keep together."""
        parts = []
        for piece in pieces(latex):
            if piece.startswith("\\text{"):
                parts.append(f"<span>{escape(piece[6:-1].strip())}</span>")
            else:
                parts.append(self.formula(piece))
        return " ".join(parts)

    def mixed(self, text: str) -> str:
        """HTML of words and LaTeX separated by commas, as assumptions are written."""
        parts = []
        for part in _split(text, (", ",)):
            words = re.findall(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}", re.sub(r"\\text\{[^}]*\}", "", part))
            in_words = bool(words) and "\\" not in re.sub(r"\\text\{[^}]*\}", "", part)
            parts.append(f"<span>{escape(part)}</span>" if in_words else self.statement(part))
        return " ".join(parts)

    def formula(self, latex: str) -> str:
        """One SVG that stands on the line of the text around it; the source in <code> if mathtext refuses it."""
        source, font = f"${_spelled(latex)}$", FontProperties(size=EM, math_fontfamily="cm")
        try:
            glyphs, outlines, rules = text_to_path.get_glyphs_mathtext(font, source)
            width, height, depth = text_to_path.get_text_width_height_descent(source, font, ismath=True)
        except (ValueError, RuntimeError):
            self.sources.append(latex)
            return f"<code>{escape(latex)}</code>"
        marks = []
        for key, x, y, scale in glyphs:
            place = f"translate({x:.1f} {-y:.1f}) scale({scale:.3g})"
            marks.append(f'<use href="#{self._glyph(key, outlines[key])}" transform="{place}"/>')
        marks += [f'<path d="{_path_data(corners, codes)}"/>' for corners, codes in rules]
        above, below = height - depth + MARGIN, depth + MARGIN
        return (
            f'<svg class="math" role="img" aria-label="{escape(latex)}" '
            f'viewBox="0 {-above:.1f} {width:.1f} {above + below:.1f}" '
            f'style="width:{width / EM:.3f}em;height:{(above + below) / EM:.3f}em;'
            f'vertical-align:{-below / EM:.3f}em">{"".join(marks)}</svg>'
        )

    def definitions(self) -> str:
        """The outlines that the drawings use, to be put once into the page."""
        paths = "".join(f'<path id="{name}" d="{data}"/>' for name, data in self.outlines.items())
        return f'<svg class="outlines" aria-hidden="true"><defs>{paths}</defs></svg>'

    def _glyph(self, key: str, outline: tuple) -> str:
        name = self._names.setdefault(key, f"g{len(self._names)}")
        if name not in self.outlines:
            self.outlines[name] = _path_data(*outline)
        return name


def pieces(latex: str) -> Iterator[str]:
    """Formulas and \\text{...} of the top level, in order, broken where a line may break."""
    for part in re.split(r"(\\text\{[^{}]*\})", latex):
        if part.startswith("\\text{"):
            yield part
            continue
        for formula in _split(part, (", ", "; ", ": ", r"\ ", ",\\ ")):
            if formula.strip():
                yield formula.strip()


def _split(text: str, breaks: tuple[str, ...]) -> list[str]:
    """At the breaks outside of all brackets, which stay with what is before them."""
    parts, depth, start, k = [], 0, 0, 0
    while k < len(text):
        if text[k] in "([{":
            depth += 1
        elif text[k] in ")]}":
            depth -= 1
        found = next((b for b in breaks if depth == 0 and text.startswith(b, k)), None)
        if found is None:
            k += 1
            continue
        kept = "" if found == r"\ " else found.rstrip("\\ ")
        parts.append(text[start:k] + kept)
        k = start = k + len(found)
    return [*parts, text[start:]]


def _spelled(latex: str) -> str:
    for pattern, replacement in SPELLINGS:
        latex = pattern.sub(replacement, latex)
    return latex


def _path_data(vertices, codes) -> str:
    """SVG path data, the y axis turned downwards."""
    data, k = [], 0
    while k < len(codes):
        command = COMMANDS[codes[k]]
        count = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 1}[command]
        numbers = [] if command == "Z" else [f"{x:.1f} {-y:.1f}" for x, y in vertices[k : k + count]]
        data.append(command + " ".join(numbers))
        k += count
    return "".join(data)
