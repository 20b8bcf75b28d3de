"""Neurons of a counterexample as arrows in the plane of the first two, as inline SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from math import atan2, cos, hypot, pi, sin

import numpy as np

SIZE, MARGIN, HEAD = 150.0, 22.0, 6.0


def plane(vectors: Mapping[str, Sequence[float]]) -> str:
    """The vectors projected onto the plane of the first two, the first along the axis; the rest may be shortened."""
    flat = in_plane(np.array(list(vectors.values()), dtype=float))
    reach = float(np.max(np.hypot(*flat.T))) or 1.0
    low, high = np.minimum(flat.min(axis=0), 0.0), np.maximum(flat.max(axis=0), 0.0)
    scale = SIZE / max(float(np.max(high - low)), 1e-9 * reach)
    at = lambda x, y: (MARGIN + (x - low[0]) * scale, MARGIN + (high[1] - y) * scale)  # noqa: E731
    width, height = (2 * MARGIN + (high - low) * scale).tolist()
    marks = [_arc(flat, at, scale)]
    for (name, (x, y)), number in zip(zip(vectors, flat.tolist(), strict=True), range(len(flat)), strict=True):
        marks.append(_arrow(at(0.0, 0.0), at(x, y), name, "first" if number == 0 else "other"))
    label, size = ", ".join(vectors), (round(width + 12), round(height))
    return (
        f'<svg class="plane" role="img" aria-label="{escape(label)} in their plane" '
        f'viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}">{"".join(marks)}</svg>'
    )


def in_plane(vectors: np.ndarray) -> np.ndarray:
    """Coordinates [n, 2] of vectors [n, d] along the first, and across it towards the second."""
    first = vectors[0] / (np.linalg.norm(vectors[0]) or 1.0)
    across = vectors[1] - (vectors[1] @ first) * first
    second = across / (np.linalg.norm(across) or 1.0)
    return np.stack([vectors @ first, vectors @ second], axis=1)


def _arrow(start: tuple[float, float], end: tuple[float, float], name: str, kind: str) -> str:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    left = (end[0] - HEAD * ux - HEAD / 2 * uy, end[1] - HEAD * uy + HEAD / 2 * ux)
    right = (end[0] - HEAD * ux + HEAD / 2 * uy, end[1] - HEAD * uy - HEAD / 2 * ux)
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, left, right))
    return (
        f'<g class="{kind}"><line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
        f'<polygon points="{corners}"/>'
        f'<text x="{end[0] + 5 * ux + 2:.1f}" y="{end[1] + 9 * uy - 2:.1f}">{escape(name)}</text></g>'
    )


def _arc(flat: np.ndarray, at, scale: float) -> str:
    """The angle between the first two."""
    angle = atan2(flat[1, 1], flat[1, 0])
    radius = 0.3 * min(float(np.hypot(*flat[0])), float(np.hypot(*flat[1])))
    if radius * scale < 4 or not 0 < angle < pi:
        return ""
    start, end = at(radius, 0.0), at(radius * cos(angle), radius * sin(angle))
    r = radius * scale
    label = max(1.5 * radius, 9.0 / (scale * sin(angle / 2)))  # clear of both arrows
    middle = at(label * cos(angle / 2), label * sin(angle / 2)) if label < 3 * radius else None
    return (
        f'<path class="angle" d="M{start[0]:.1f} {start[1]:.1f}A{r:.1f} {r:.1f} 0 0 0 {end[0]:.1f} {end[1]:.1f}"/>'
        + (f'<text class="angle" x="{middle[0]:.1f}" y="{middle[1] + 3:.1f}">&theta;</text>' if middle else "")
    )
