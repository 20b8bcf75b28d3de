"""Formulas as MathML: the browser draws them, they can be selected and are read aloud, and nothing is fetched.

A statement breaks into pieces at the commas and before the signs of its top level, between which a line may break.
"""

import re
from collections.abc import Iterator
from html import escape

from latex2mathml.converter import convert
from latex2mathml.exceptions import DenominatorNotFoundError, ExtraLeftOrMissingRightError, NoAvailableTokensError

from ..statements.printing import BREAK

UNREADABLE = (DenominatorNotFoundError, ExtraLeftOrMissingRightError, NoAvailableTokensError, IndexError, KeyError)
RELATIONS = tuple(rf" {sign} " for sign in ("=", r"\ge", ">", r"\le", "<"))
NAMES = "<mi>(?:sin|cos|tan|arccos|arcsin|log|max)</mi>"
SPACING = (
    (re.compile(' xmlns="[^"]*"'), ""),  # needless in HTML
    (re.compile(r'<mo stretchy="false">(&#x0007C;)</mo>'), r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>'),
    (re.compile(rf"({NAMES}|<msup>{NAMES}<mrow><mn>\d</mn></mrow></msup>)(?=<mrow>)"), r'\1<mspace width="0.17em"/>'),
)
WORDS = re.compile(r"(\\text\{[^{}]*\})")


def formula(latex: str) -> str:
    """One MathML element; the source in <code> if it is no LaTeX."""
    try:
        markup = convert(latex)
    except UNREADABLE:
        return f"<code>{escape(latex)}</code>"
    for pattern, better in SPACING:
        markup = pattern.sub(better, markup)
    return markup


def statement(latex: str) -> str:
    """HTML of a statement: its formulas and its words, in pieces that keep together."""
    parts = []
    for piece in pieces(latex):
        words = WORDS.fullmatch(piece)
        parts.append(f'<span class="words">{escape(piece[6:-1].strip())}</span>' if words else formula(piece))
    return " ".join(parts)


def mixed(text: str) -> str:
    """HTML of words and LaTeX separated by commas, as assumptions are written."""
    parts = []
    for part in _split(text, (", ",)):
        plain = WORDS.sub("", part)
        in_words = bool(re.search(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}", plain)) and "\\" not in plain
        parts.append(f"<span>{escape(part)}</span>" if in_words else statement(part))
    return " ".join(parts)


def pieces(latex: str) -> Iterator[str]:
    """Formulas and \\text{...} of the top level, in order, broken where a line may break."""
    for relation in _split(latex, (BREAK, ", ", "; ", ": ", r"\ ")):
        for part in WORDS.split(relation) if _outside(relation) else [relation]:
            if WORDS.fullmatch(part):
                yield part
            else:
                yield from (side for side in _before_signs(part) if side)


def _outside(relation: str) -> bool:
    """Whether its words are not part of a formula, as an index is."""
    return not re.search(r"[_^]\{[^{}]*\\text|\\left|_\{", relation)


def _before_signs(text: str) -> Iterator[str]:
    """The relation split before each sign of its top level."""
    start = 0
    for place, depth in _places(text):
        if depth == 0 and place > 0 and text.startswith(RELATIONS, place):
            yield text[start:place].strip()
            start = place
    yield text[start:].strip()


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Every place with the number of brackets that are open there."""
    depth = 0
    for place, letter in enumerate(text):
        depth -= letter in ")]}"
        yield place, depth
        depth += letter in "([{"


def _split(text: str, breaks: tuple[str, ...]) -> list[str]:
    """At the breaks outside of all brackets; a comma or a colon stays with what is before it."""
    parts, start, skip = [], 0, 0
    for place, depth in _places(text):
        found = next((b for b in breaks if depth == 0 and place >= skip and text.startswith(b, place)), None)
        if found:
            kept = "" if found.startswith("\\") else found.replace(r"\quad", "").rstrip()
            parts.append(text[start:place] + kept)
            start = skip = place + len(found)
    return [*parts, text[start:]]
