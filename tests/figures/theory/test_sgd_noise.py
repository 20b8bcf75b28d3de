"""The figure of SGD and its noise: how its dots are made, and that it is drawn within the page."""

import numpy as np

from figures.theory import sgd_noise
from tests.figures.helpers import assert_within_the_page


def drawn() -> dict[str, np.ndarray]:
    time = np.linspace(0.0, sgd_noise.END, sgd_noise.TIMES)
    fall = np.exp(-np.array([[0.1, 0.2, 0.22], [0.3, 0.5, 0.6]])[:, :, None] * time)
    d, angle = sgd_noise.DIMENSIONS, sgd_noise.ANGLES
    return {
        "time": time,
        "theory": fall,
        "run_dimension": np.array([100, 1000, 10_000]),
        "sgd": np.stack([fall[..., ::5]] * 3),
        "dimension": d,
        "noise": np.stack([d, 3 + 0 * d, d / 3]),
        "sampled_dimension": np.array([10, 100]),
        "noise_sampled": np.array([[10.0, 100.0], [3.0, 3.0], [3.0, 30.0]]),
        "angle": angle,
        "noise_of_one": np.stack([200 + angle, 1 / angle, 50 + angle]),
    }


def test_everything_is_drawn_within_the_page():
    data = drawn()
    figure = sgd_noise.draw(data)
    assert_within_the_page(figure)
    of_values, of_both, over_d, over_angle = figure.axes
    assert len(of_values.get_lines()) == len(of_both.get_lines()) == 3 + 3 * 3
    assert [line.get_ydata().tolist() for line in over_d.get_lines()[::2]] == data["noise"].tolist()
    assert [line.get_ydata().tolist() for line in over_angle.get_lines()] == data["noise_of_one"].tolist()


def test_every_dot_is_shown_at_whole_times_of_its_dimension():
    figure = sgd_noise.draw(drawn())
    shown = [set(line.get_xdata().tolist()) for line in figure.axes[0].get_lines()[1:4]]
    assert sorted(set.union(*shown)) == list(range(1, 37))
    assert sum(map(len, shown)) == 36


def test_runs_of_all_rates_are_at_the_same_times():
    plain = sgd_noise._sgd("H1", 0.4, 20, 3.0)["loss"]
    in_span = sgd_noise._sgd_in_span(20, 3.0)["loss"]
    assert plain.shape == (4,)
    assert in_span.shape == (6, 4)
    assert np.allclose(in_span[:, 0], plain[0])
    assert np.all(in_span[:, 3] < in_span[:, 0])


def test_sampled_noise_grows_with_d_for_values_and_not_for_derivatives():
    signal = np.ones(3)
    few, many = (sgd_noise._sampled_noise(d, 4000, signal) for d in (10, 80))
    assert 4 < many[0] / few[0] < 12
    assert abs(many[1] / few[1] - 1) < 0.2
