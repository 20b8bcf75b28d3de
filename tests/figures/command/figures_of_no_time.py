"""Two figures that take no time, a line and an experiment of points, in place of those of the checkout."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from figures import style
from figures.figure import Figure
from figures.kept import Keep


class Line:
    """A figure that counts how often it was computed."""

    def __init__(self):
        self.calls = 0

    def data(self, keep=Keep()):
        self.calls += 1
        return {"y": np.array(list(keep.track([1.0, 2.0])))}


class Points:
    """An experiment of two cells, each a point; `interrupted_at` one of them it is stopped as by Ctrl-C."""

    def __init__(self):
        self.computed, self.asked, self.interrupted_at = [], {}, None

    def data(self, paper=False, mnist=None, keep=Keep()):
        self.asked = {"paper": paper, "mnist": mnist}
        cells = [keep.cell(f"point{i}", lambda i=i: self.compute(i))["y"] for i in keep.track(range(2))]
        return {"y": np.array(cells)}

    def compute(self, i):
        if i == self.interrupted_at:
            raise KeyboardInterrupt
        self.computed.append(i)
        return {"y": np.array(i + 1.0)}


@style.paper()
def draw(arrays):
    figure = style.new_figure(height=1.0)
    figure.subplots().plot(arrays["y"])
    return figure


def line() -> SimpleNamespace:
    """The module of a figure, and what it counts."""
    counter = Line()
    return SimpleNamespace(FIGURE=Figure(counter.data, draw, minutes=0.5), counter=counter)


def points() -> SimpleNamespace:
    counter = Points()
    figure = Figure(
        counter.data,
        draw,
        minutes=1.0,
        options=("paper", "mnist"),
        differs="two points.",
        statement="Points are better.",
        finding=lambda arrays: [f"sum {arrays['y'].sum():.0f}"],
    )
    return SimpleNamespace(FIGURE=figure, counter=counter)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def change(module: SimpleNamespace, **fields) -> None:
    """Another figure in its place."""
    module.FIGURE = replace(module.FIGURE, **fields)
