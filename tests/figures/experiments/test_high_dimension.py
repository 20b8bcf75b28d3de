"""What the figure of high dimensions shows: exact errors, fair times, and findings that say what was compared."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from figures.experiments import high_dimension
from figures.kept import Keep
from figures.problems import student_teacher
from figures.problems.student_teacher import LOSSES, Setting
from tests.figures.helpers import assert_within_the_page

SETTING = Setting(
    dimensions=(48,), seeds=6, steps=200, longer=2, batch=32, samples=24, records=2, student=4, teacher=2
)


@pytest.fixture(scope="module")
def errors():
    return {loss: student_teacher.trained(SETTING, 48, "finite", loss)["error"] for loss in ("L2", "whole")}


def test_from_fewer_samples_than_dimensions_only_gradients_teach(errors):
    # 24 values of 48 dimensions leave most of the teacher unknown, 24 gradients none of it.
    assert np.all(errors["whole"][:, -1] < 0.5 * errors["L2"][:, -1])


def test_losses_share_their_starts(errors):
    np.testing.assert_array_equal(errors["whole"][:, 0], errors["L2"][:, 0])


@pytest.mark.parametrize("d", [2, 48])
def test_the_relative_error_is_that_of_samples(d):
    random = np.random.default_rng(d)
    W, a, W_star, a_star = (random.normal(size=size) for size in ((6, 3, 4, d), (6, 3, 4), (6, 1, 2, d), (6, 1, 2)))
    error = student_teacher.relative_error(W, a, W_star, a_star)
    x = random.normal(size=(100_000, d))
    for at in ((0, 0), (4, 1)):
        found = np.maximum(x @ W[at].T, 0) @ a[at]
        exact = np.maximum(x @ W_star[at[0], 0].T, 0) @ a_star[at[0], 0]
        # The mean of 100,000 squares of relative variance below 10: its root has a standard error of 0.5 per cent.
        np.testing.assert_allclose(error[at], np.sqrt(np.mean((found - exact) ** 2)) / np.std(exact), rtol=0.02)


def test_objectives_are_half_mean_squares_of_values_and_of_gradients_whole_or_projected():
    """Projected on as many orthogonal directions as there are inputs a gradient is whole."""
    setting = replace(SETTING, samples=3, directions=5)

    @jax.jit
    def objectives(key):
        student, teacher, x, *targets = student_teacher._problem(setting, 5, key)
        given = [student_teacher.objective(setting, loss, student, x, targets, key) for loss in LOSSES]
        by_teacher = [student_teacher.objective(setting, loss, student, x, teacher, key) for loss in LOSSES]
        return given, by_teacher, student, teacher, x

    given, by_teacher, student, teacher, x = jax.tree.map(np.asarray, objectives(jax.random.key(0)))
    values, gradients = 0.0, 0.0
    for network, sign in ((student, 1), (teacher, -1)):
        fields = x @ network.weights.T
        values = values + sign * np.maximum(fields, 0) @ network.output_weights
        gradients = gradients + sign * (fields > 0) * network.output_weights @ network.weights
    l2 = np.mean(values**2) / 2
    h1 = l2 + np.mean(np.sum(gradients**2, axis=1)) / 2
    # Sums of some ten terms in single precision.
    np.testing.assert_allclose(given, [l2, h1, h1], rtol=1e-5)
    np.testing.assert_allclose(by_teacher, [l2, h1, h1], rtol=1e-5)


def made_up(cost: float) -> dict[str, np.ndarray]:
    """For 6 seeds L2 errs by 0.4, and 0.1 with 4 times the steps; H1 by 0.2 in d = 2 and 0.05 in d = 8."""
    found = {"dimension": np.array([2, 8]), "step": np.array([0, 10]), "samples": np.array(64)}
    found |= {"directions": np.array(1), "longer": np.array(4)}
    last = {"L2": [0.4, 0.4], "longer": [0.1, 0.1], "projected": [0.2, 0.05], "whole": [0.2, 0.05]}
    for run, errors in last.items():
        for sampling in student_teacher.SAMPLING:
            found[f"{run}_{sampling}"] = np.stack([np.ones((2, 6)), np.outer(errors, np.ones(6))], axis=-1)
    times = {"L2": 1.0, "projected": cost, "whole": cost}
    return found | {f"{loss}_seconds": np.full((2, 3), times[loss]) for loss in LOSSES}


def test_at_equal_time_l2_has_the_error_of_as_many_more_steps():
    # From 0.4 to 0.1 in 4 times the steps is an error like 1/steps.
    for cost, error in ((1.0, 0.4), (2.0, 0.2), (4.0, 0.1), (9.0, 0.1)):
        np.testing.assert_allclose(high_dimension.at_equal_time(made_up(cost), "fresh", "whole"), error, rtol=1e-12)


def test_finding_compares_at_equal_steps_and_at_equal_time():
    lines = high_dimension.finding(made_up(2.0))
    assert lines[0].startswith(
        "supported: finite samples, equal steps, d = 8: error of L2 over that of H1 projected is 8 ("
    )
    assert lines[0].endswith("; at d = 2 it is 2")
    assert lines[1].startswith(
        "supported: finite samples, equal time, d = 8: error of L2 over that of H1 projected is 4 ("
    )
    assert lines[1].endswith("; at d = 2 it is 1")


def test_finding_says_where_equal_time_is_beyond_the_longer_runs():
    assert not any("at most" in line for line in high_dimension.finding(made_up(3.0)))
    assert high_dimension.finding(made_up(6.0))[-1].endswith("6 at d = 8; equal time is taken as 4 at most")


def test_a_small_run_is_drawn_within_the_page_and_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(
        student_teacher, "trained", lambda _, d, *rest: {"error": np.outer(np.arange(1, 7), [1, 0.1, d / 1000])}
    )
    monkeypatch.setattr(student_teacher, "seconds", lambda *_: {loss: np.ones(3) for loss in LOSSES})
    keep, setting = Keep(tmp_path, "a" * 16), replace(SETTING, dimensions=(2, 8))
    data = high_dimension.data(setting=setting, keep=keep)
    assert len(keep.cells()) == 2 * (2 * 4 + 1)
    assert data["longer_fresh"].shape == (2, 6, 3)
    assert_within_the_page(high_dimension.draw(data))


def test_steps_are_timed_in_rounds(monkeypatch):
    monkeypatch.setattr(student_teacher, "LOSSES", ("L2",))
    monkeypatch.setattr(student_teacher, "TIMED_STEPS", 3)
    found = student_teacher.seconds(SETTING, 48)
    assert found["L2"].shape == (student_teacher.ROUNDS,)
    assert np.all(found["L2"] > 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": 0}, "seeds: got 0"),
        ({"dimensions": ()}, r"dimensions: got \(\)"),
        ({"student": 5}, "student: got 5; needs an even number"),
        ({"records": 7}, "records: got 7; needs a divisor of the 1000 steps"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Setting(**arguments)
