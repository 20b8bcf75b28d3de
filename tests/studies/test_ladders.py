"""The ladders: lanes that are trained side by side, rows of a step each, rates chosen on other seeds, equal time."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.measures.published_losses import Row
from studies import fit_ladder, image_ladders, lanes
from studies.fit_ladder import Curves, Setting
from studies.image_ladders import TUNING, Ladder
from studies.lanes import Lanes, Trained


def test_lanes_follow_their_own_loss_rate_and_seed():
    """Adam's first steps are of the rate's size, towards the minimum that the setting has."""
    goal = np.array([1.0, 1.0, -1.0], np.float32)
    found = lanes.train(
        lambda key: {"a": jax.random.normal(key, (), jnp.float32) * 0.01},
        lambda network, goal, key: (network["a"] - goal) ** 2,
        lambda network: {"a": network["a"]},
        Lanes(np.array([0, 0, 1]), goal, np.array([0.1, 0.2, 0.1])),
        steps=4,
        every=2,
    )
    assert found.step.tolist() == [0, 2, 4]
    moved = found.measures["a"] - found.measures["a"][:, :1]
    np.testing.assert_allclose(moved[:, 1], [0.2, 0.4, -0.2], rtol=1e-2)  # gradients change a little on the way
    assert found.measures["a"][0, 0] == found.measures["a"][1, 0] != found.measures["a"][2, 0]


def ladder(calls):
    """Errors fall as exp(-rate t) from a level that depends on the loss and the seed; the best rate is 2."""
    levels = {"L2": {"level": np.array(2.0)}, "both": {"level": np.array(0.5)}, "H1": {"level": np.array(1.0)}}

    def run(of, steps, every):
        calls.append(sorted({int(seed) for seed in of.seed}))
        t = np.arange(0, steps + 1, every)
        speed = np.where(of.rate == 2.0, 2.0, 1.0)[:, None]
        curve = of.setting["level"][:, None] * (1 + 0.1 * (of.seed[:, None] % 10)) * np.exp(-0.01 * speed * t)
        return Trained(t, {"square": curve, "h1": curve}, 1.0)

    rows = (Row("the paper's", "L2", "both"), Row("clean", "L2", "H1"))
    return Ladder(levels, rows, 1.0, (1.0, 2.0), 100, 10, 1, run, lambda: 2.0)


def test_a_ladder_ends_at_the_best_rates_of_other_seeds_and_in_equal_time():
    calls = []
    rows = list(image_ladders.ladder_rows(ladder(calls), 6, 2))
    assert calls == [list(range(6)), [TUNING, TUNING + 1], list(range(6))]
    assert [row["factor"] for row in rows[:3]] == ["4", "2", "2"]
    assert [(row["l2_rate"], row["rate"]) for row in rows] == [("1", "1"), ("1", "1"), ("2", "2"), ("2", "2")]
    assert rows[3]["steps"] == "50"
    assert float(rows[3]["factor"]) == pytest.approx(2 * np.exp(-2 * 0.01 * 50), rel=1e-3)


def test_fits_have_rows_at_the_papers_product_of_rate_and_steps_at_the_best_rates_and_in_time(tmp_path, monkeypatch):
    setting = Setting(steps=100, seeds=5, rates=(1.0, 2.0))

    def followed(setting, loss, seeds, rates):
        count = len(range(7)[seeds])
        level = {"L2": 1.0, "H1": 0.5}[loss] / rates[..., None, None]
        curve = np.broadcast_to(level / (1 + np.arange(2)), (*rates.shape, count, 2))
        return Curves(curve, {"L2": 1.0, "H1": 2.0}[loss])

    monkeypatch.setattr(fit_ladder, "followed", followed)
    rows = list(fit_ladder.rows(setting))
    assert len(rows) == 27
    assert [rows[i]["rate"] for i in (0, 9, 18)] == ["1", "2", "2"]
    assert [rows[i]["factor"] for i in (0, 9, 18)] == ["2", "2", "1"]  # H1 in half the steps is as L2
    table = tmp_path / "t.csv"
    assert fit_ladder.main(["--steps", "100", "--table", str(table)]) == 0
    assert len(list(csv.DictReader(table.open()))) == 27
    with pytest.raises(SystemExit, match="2"):
        fit_ladder.main(["--steps", "70", "--table", str(table)])
