"""Where flows end and what they save, at the limits: what holds at the start, the times asked for, batches."""

import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory import Outcome
from sobolev_theory.dynamics import flow_pieces, rooms
from sobolev_theory.dynamics.flow_pieces import follow

TEACHER = st.Network([1.0, 0.0])
RIGHT_ANGLE = st.Network([0.0, 1.0])
READINGS = {"L2": (st.L2, "loss"), "H1 population": (st.H1, "population"), "H1 loss": (st.H1, "loss")}
pytestmark = pytest.mark.xdist_group("flows")
SHARED = {"t1": 100.0, "saveat": [0.5, 2.0], "until_distance": 1e-12}  # the programs of test_flows


@pytest.mark.parametrize("name", READINGS)
def test_a_flow_that_begins_where_it_shall_end_ends_at_0(name):
    loss, of = READINGS[name]
    for start, until in ((RIGHT_ANGLE, 2.0), (RIGHT_ANGLE, np.sqrt(2.0)), (TEACHER, 1e-12)):
        found = st.gradient_flow(start, TEACHER, loss, of=of, t1=1.0, saveat=[0.0, 0.5], until_distance=until)
        assert (found.outcome, float(found.end_time), int(found.steps)) == (Outcome.DISTANCE, 0.0, 0)
        np.testing.assert_array_equal(np.isnan(found.loss), [False, True])  # as for every flow: NaN after the end
        np.testing.assert_allclose(found.end_weights, start.weights, atol=1e-15)
        np.testing.assert_allclose(found.loss[0], found.end_loss)


def test_of_several_flows_those_that_have_arrived_end_and_the_others_go_on():
    starts = np.array([[[1.0, 0.01]], [[0.0, 1.0]], [[1.0, 0.0]]])
    options = {"t1": 1.0, "saveat": [0.0, 0.5], "until_distance": 0.1}
    flows = st.gradient_flows(starts, TEACHER, st.L2, **options)
    assert flows.outcome == [Outcome.DISTANCE, Outcome.TIME, Outcome.DISTANCE]
    assert flows.end_time.tolist() == [0.0, 1.0, 0.0]
    assert flows.time.tolist() == [0.0, 0.5]
    assert np.isnan(flows.loss).tolist() == [[False, True], [False, False], [False, True]]
    one = flows[1]
    assert (one.outcome, one.loss.shape, one.weights.shape) == (Outcome.TIME, (2,), (2, 1, 2))
    np.testing.assert_array_equal(one.end_weights, flows.end_weights[1])


@pytest.mark.parametrize("name", READINGS)
def test_at_the_teacher_nothing_moves(name):
    loss, of = READINGS[name]
    found = st.gradient_flow(TEACHER, TEACHER, loss, of=of, **SHARED)
    assert (found.outcome, float(found.end_time), float(found.end_loss)) == (Outcome.DISTANCE, 0.0, 0.0)


def test_times_are_those_asked_for():
    found = st.gradient_flow(RIGHT_ANGLE, TEACHER, st.L2, **SHARED)
    assert found.time.tolist() == SHARED["saveat"]
    assert found.reduced.shape == (2, 1, 2)


def test_a_short_neuron_has_a_direction_and_grows():
    """In L2 a neuron of any norm r follows r' = |w*| J_1/(2 pi) - r/2: from 1e-12 it is of size t / (2 pi)."""
    found = st.gradient_flow(st.Network([0.0, 1e-12]), TEACHER, st.L2, **SHARED)
    assert found.outcome is Outcome.DISTANCE
    assert np.all(np.linalg.norm(found.weights[:, 0], axis=1) > 0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t1": 0}, "t1: got 0; needs a finite number > 0"),
        ({"t1": np.nan}, "t1: got nan"),
        ({"t1": 1j}, "t1: got 1j"),
        ({"t1": True}, "t1: got True"),
        ({"t1": None}, "t1: got None"),
        ({"saveat": []}, "saveat: got"),
        ({"saveat": [0.5, 0.5]}, "saveat: got"),
        ({"saveat": [-0.5, 0.5]}, "saveat: got"),
        ({"saveat": [0.5, np.nan]}, "saveat: got nan"),
        ({"saveat": [0.5j]}, "saveat: got dtype complex128"),
        ({"saveat": [False, True]}, "saveat: got dtype bool"),
        ({"saveat": 0.5}, "saveat: got 0.5"),
        ({"until_distance": np.nan}, "until_distance: got nan"),
        ({"until_distance": 1j}, "until_distance: got 1j"),
        ({"rtol": np.nan}, "rtol: got nan"),
        ({"atol": np.inf}, "atol: got inf"),
        ({"max_steps": 0}, "max_steps: got 0; needs a whole number >= 1"),
        ({"max_steps": 1.5}, "max_steps: got 1.5"),
        ({"max_kinks": -1}, "max_kinks: got -1"),
        ({"max_kinks": True}, "max_kinks: got True"),
    ],
)
def test_what_is_no_time_or_number_is_named(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        st.gradient_flow(RIGHT_ANGLE, TEACHER, st.L2, **{"t1": 8.0, **arguments})


def test_starts_that_are_not_real_are_named():
    for starts, dtype in ((np.ones((2, 1, 2)) * 1j, "complex128"), (np.ones((2, 1, 2), bool), "bool")):
        with pytest.raises(TypeError, match=f"starts: got dtype {dtype}"):
            st.gradient_flows(starts, TEACHER, t1=1.0)


def test_t1_of_single_precision_is_a_time_to_save():
    """0.1 in single precision is more than 0.1."""
    time = np.float32(0.1)
    found = st.gradient_flow(TEACHER, TEACHER, st.L2, t1=0.1, saveat=np.float32([0.0, time]), until_distance=1.0)
    assert found.time.shape == (2,)


def test_flows_of_other_sizes_times_and_tolerances_are_the_same_program():
    generator = np.random.default_rng(3)
    st.gradient_flow(RIGHT_ANGLE, TEACHER, st.L2, **SHARED)
    programs = follow._cache_size()
    for neurons, teachers, inputs in ((2, 2, 3), (3, 1, 5), (4, 4, 9)):
        student, teacher = (st.Network(generator.standard_normal((k, inputs))) for k in (neurons, teachers))
        options = {"t1": 0.1 * neurons, "saveat": np.linspace(0.0, 0.1, neurons), "rtol": 1e-9 / neurons}
        found = st.gradient_flow(student, teacher, st.L2, **options, max_steps=1000)
        assert found.reduced.shape == (neurons, neurons, min(inputs, neurons + teachers))
        assert np.all(np.diff(found.loss) < 0)
    assert follow._cache_size() == programs


def test_arrays_of_the_exact_size_and_sums_row_by_row_give_the_same_flow(monkeypatch):
    """What large problems go by; with a kink and a neuron on its ray."""
    generator = np.random.default_rng(4)
    student, teacher = (st.Network(generator.standard_normal((k, 3))) for k in (3, 2))
    options = {"t1": 3.0, "saveat": [1.0, 3.0]}
    filled = st.gradient_flow(student, teacher, st.H1, **options)
    for module in (rooms, flow_pieces):
        monkeypatch.setattr(module, "FEW", 0)
    exact = st.gradient_flow(student, teacher, st.H1, **options)
    assert exact.ray.tolist() == filled.ray.tolist()
    assert np.any(np.asarray(filled.ray) >= 0)
    np.testing.assert_allclose(exact.weights, filled.weights, atol=1e-7)  # some tens of rtol = 1e-9
    np.testing.assert_allclose(exact.arrival, filled.arrival, atol=1e-7)
