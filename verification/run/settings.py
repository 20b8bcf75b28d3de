"""What a run fixes before it draws anything."""

from dataclasses import dataclass

from ..checks import Context, Estimates
from ..store import Store


@dataclass(frozen=True)
class Settings:
    """Of one run.

    Attributes:
        samples: per Monte-Carlo average of effort 1.
        seed: of all random points and samples.
        points: random points per deterministic check.
        false_alarm: probability that any sampling check of the run refutes a true formula.
        deep: higher precision and larger domains, where a method has them.
    """

    samples: int = 2**20
    seed: int = 0
    points: int = 4
    false_alarm: float = 1e-6
    deep: bool = False

    def context(self, averages: Store | None = None) -> Context:
        estimates = Estimates(self.seed, self.samples, averages)
        return Context(self.seed, self.points, estimates, self.deep, self.false_alarm)


QUICK = Settings(samples=2**16, points=2)
DEEP = Settings(samples=2**23, points=16, deep=True)
