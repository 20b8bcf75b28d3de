"""Estimates that are stopped, killed and started again; states that are refused; disks that take no more."""

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import sobolev_theory as st
from sobolev_theory.montecarlo import batches, control_variates, stream_checkpoints
from sobolev_theory.runs import atomic_files
from tests.helpers.killed import BATCHES

ROOT = Path(__file__).parents[2]
OPTIONS = {"samples": 6 * 2**6, "batch": 2**6, "group": 2**2, "covariance": True, "checkpoint_every": 0}
W, V = np.random.default_rng(3).normal(size=(2, 2, 3))


class StoppedError(Exception):
    pass


def run(checkpoint, name="population_gradient", student=W, loss=st.H1, key=1, **changes):
    options = OPTIONS | changes
    estimator = getattr(st.montecarlo, name)
    return estimator(
        st.Network(student), st.Network(V), loss, key=jax.random.key(key), checkpoint=checkpoint, **options
    )


def bits(estimate) -> list[str]:
    return [x.hex() for x in np.asarray(ravel_pytree((estimate[:3], float(estimate.samples)))[0]).tolist()]


@pytest.fixture
def drawn(monkeypatch):
    """The batches that are drawn, and a number of them after which the run is stopped."""
    drawn, stop, batch = [], [10**9], batches._batch

    class Counted:
        lower = batch.lower

        def __call__(self, *arguments):
            if isinstance(arguments[-1], jax.core.Tracer):
                return batch(*arguments)  # within the program of a mesh
            if len(drawn) == stop[0]:
                raise StoppedError
            drawn.append(int(arguments[-1]) * OPTIONS["group"] // OPTIONS["batch"])
            return batch(*arguments)

    monkeypatch.setattr(batches, "_batch", Counted())
    return drawn, stop


def stopped_after(drawn, count, path, **changes):
    drawn[1][0] = len(drawn[0]) + count
    with pytest.raises(StoppedError):
        run(path, **changes)
    drawn[1][0] = 10**9


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def stopped(path, drawn):
    stopped_after(drawn, 2, path)
    drawn[0].clear()
    return path


# Going on.


def test_a_stopped_run_goes_on_where_it_was_to_the_same_bits(path, drawn):
    whole = bits(run(None))
    assert drawn[0] == list(range(6))
    drawn[0].clear()
    for count in (1, 0, 2, 1):
        stopped_after(drawn, count, path)
    assert bits(run(path)) == whole
    assert drawn[0] == list(range(6))


def test_a_finished_run_is_read_back_without_a_sample(path, drawn):
    first = run(path)
    drawn[0].clear()
    before = path.stat().st_mtime_ns
    assert bits(run(path)) == bits(first)
    assert not drawn[0]
    assert path.stat().st_mtime_ns == before


def test_a_mean_of_a_users_function_is_kept_as_well(path, drawn):
    def kept(function):
        return st.montecarlo.expectation(function, 2, key=jax.random.key(1), samples=2**9, checkpoint=path)

    first, batches = kept(jnp.max), len(drawn[0])
    assert batches > 0
    assert bits(kept(jnp.max)) == bits(first)
    assert len(drawn[0]) == batches
    with pytest.raises(ValueError, match="another problem"):
        kept(jnp.min)


def test_a_run_that_reached_its_target_is_finished(path, drawn):
    settings = {"standard_error": 1.0, "samples": 2**12}
    first = run(path, **settings)
    assert first.samples < 2**12
    drawn[0].clear()
    assert bits(run(path, **settings)) == bits(first)
    assert not drawn[0]


def test_a_mesh_goes_on_from_the_state_of_one_device(stopped, drawn):
    mesh = jax.make_mesh((1,), ("samples",))
    # The same group means, compiled into another program: rounding of 96 terms near 1.
    expected, got = (np.array([float.fromhex(x) for x in bits(e)]) for e in (run(None), run(stopped, mesh=mesh)))
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_a_run_with_a_control_goes_on_to_the_same_bits_also_where_another_mesh_rounds_its_slope(path, monkeypatch):
    whole = bits(run(None, control=st.L2))
    begin, states = stream_checkpoints.begin, []

    def stopping(*arguments):
        state, take = begin(*arguments)

        def taking(state):
            take(state)
            if arguments[0] is not None and state.batches == 2:
                raise StoppedError

        states.append(state.batches)
        return state, taking

    monkeypatch.setattr(stream_checkpoints, "begin", stopping)
    with pytest.raises(StoppedError):
        run(path, control=st.L2)
    monkeypatch.setattr(stream_checkpoints, "begin", begin)
    kept = path.read_bytes()
    assert bits(run(path, control=st.L2)) == whole
    path.write_bytes(kept)
    best = control_variates.best_slopes
    monkeypatch.setattr(control_variates, "best_slopes", lambda *a: jax.tree.map(lambda x: x * (1 + 1e-15), best(*a)))
    found = [float.fromhex(x) for x in bits(run(path, control=st.L2))]
    # Four batches of six have another slope by 1e-15 of it; the rest is rounding.
    np.testing.assert_allclose(found, [float.fromhex(x) for x in whole], rtol=1e-11, atol=1e-14)
    with pytest.raises(ValueError, match="belongs to another problem"):
        run(path, control=st.SobolevLoss((2.0,)))


def test_a_state_is_written_before_the_first_sample_and_after_the_last_and_when_it_is_due(path, monkeypatch):
    clock, written = [0.0], []

    def tick():
        clock[0] += 1.0
        return clock[0]

    monkeypatch.setattr(stream_checkpoints, "time", SimpleNamespace(monotonic=tick))
    write = stream_checkpoints.checkpoints.write
    monkeypatch.setattr(
        stream_checkpoints.checkpoints,
        "write",
        lambda *arguments: written.append(int(arguments[-1]["state"][0])) or write(*arguments),
    )
    run(path, checkpoint_every=2.5)  # the clock is read once a batch, and once more by each write
    assert written == [0, 3, 6]
    path.unlink()
    written.clear()
    run(path, checkpoint_every=100)
    assert written == [0, 6]


def test_progress_and_the_time_between_states_may_change(stopped):
    run(stopped, progress=False, checkpoint_every=7)


def test_a_checkpoint_can_be_read_by_all_who_may_read_files(path):
    mask = os.umask(0)
    os.umask(mask)
    run(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_checkpoint_may_be_a_link_to_where_no_rights_can_be_set(path, drawn, monkeypatch):
    def refuse(*arguments, **keywords):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", refuse)
    link = path.with_name("link")
    link.symlink_to(path.name)
    stopped_after(drawn, 2, link)
    drawn[0].clear()
    run(link)
    assert drawn[0] == [2, 3, 4, 5]
    assert link.is_symlink()
    assert sorted(file.name for file in path.parent.iterdir()) == ["link", "state"]


# Killed.


def lives(folder: Path, *arguments: str) -> dict:
    command = [sys.executable, "-m", "tests.helpers.killed", folder, *arguments]
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    found = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment, cwd=ROOT)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def results(ends: list[dict]) -> list[str]:
    assert all(end["code"] == 0 for end in ends), ends
    return [end["result"] for end in ends]


def test_thirty_kills_at_random_moments_change_no_bit(tmp_path):
    report = lives(tmp_path, "kills", "30")
    killed = [life for life in report["lives"] if life["signal"] == 9]
    finished = [life for life in report["lives"] if life["signal"] != 9]
    assert len(killed) == 30
    expected = results(report["whole"])
    assert results(report["last"]) == results(report["again"]) == expected
    assert set(results(finished)) <= set(expected)
    # Every second one was killed after it had merged a batch, so the next ones had a state to begin from.
    assert sum(life["batches"] > 0 for life in killed) >= 12
    assert len({life["began"] for life in report["lives"]} - {None, 0}) >= 6
    assert report["again"][0]["began"] == BATCHES
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_of_two_processes_either_may_be_killed_and_both_refuse_together(tmp_path):
    report = lives(tmp_path, "pair")
    for victim in (0, 1):
        ends = report[f"killed {victim}"]
        assert ends[victim]["signal"] == 9
        # The other one ends with an error: an exception of its collective, or the coordination service ends it.
        assert ends[1 - victim]["code"] != 0
        assert "JaxRuntimeError" in ends[1 - victim]["result"] or ends[1 - victim]["signal"]
    whole = results(report["whole"])
    assert whole[0] == whole[1]
    assert results(report["last"]) == whole
    assert all(end["began"] > 0 for end in report["last"])
    assert report["odd"][0]["began"] == 3  # of one process, in the middle of what two do at once
    odd, both = (np.array([float.fromhex(x) for x in json.loads(r[0])]) for r in (results(report["odd"]), whole))
    # Three batches from another program: rounding of some thousand terms near 1.
    np.testing.assert_allclose(odd, both, rtol=1e-11, atol=1e-13)
    for name, message in (("different", "got another problem in process 1"), ("truncated", "truncated or corrupted")):
        for end in report[name]:
            assert end["code"] == 1
            assert "ValueError: checkpoint: got" in end["result"]
            assert message in end["result"]


# Refused.

OTHER = {
    "key": {"key": 2},
    "weights": {"student": W + 1e-15},
    "precision": {"student": W.astype(np.float32)},
    "loss": {"loss": st.SobolevLoss((1.0, 2.0))},
    "estimator": {"name": "loss_gradient"},
    "batch": {"batch": 2**7},
    "group": {"group": 2**3},
    "covariance": {"covariance": False},
    "sampling": {"sampling": "span"},
    "method": {"method": "antithetic"},
}


@pytest.mark.parametrize("name", OTHER)
def test_a_state_of_another_problem_is_refused_and_stays(stopped, drawn, name):
    before = stopped.read_bytes()
    with pytest.raises(ValueError, match=f"checkpoint: got {stopped}, which belongs to another problem"):
        run(stopped, **OTHER[name])
    assert stopped.read_bytes() == before
    assert not drawn[0]


def test_an_activation_of_another_formula_is_another_problem(path):
    def activated(function):
        student = st.Network(W, activation=st.Elementwise(function))
        st.montecarlo.population_loss(student, student, st.L2, key=jax.random.key(0), samples=2**6, checkpoint=path)

    activated(lambda t: 2.0 * jax.numpy.tanh(t))
    with pytest.raises(ValueError, match="belongs to another problem"):
        activated(lambda t: 2.5 * jax.numpy.tanh(t))


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-100], lambda c: c[:-50] + bytes([c[-50] ^ 1]) + c[-49:], lambda c: c[:50]]
)
def test_a_damaged_state_is_refused_by_name(stopped, damage):
    stopped.write_bytes(damage(stopped.read_bytes()))
    with pytest.raises(ValueError, match=f"checkpoint: got {stopped}, which is truncated or corrupted"):
        run(stopped)


@pytest.mark.parametrize("content", [b"", b"something else", b"sobolev_theory training checkpoint 1\n" + bytes(99)])
def test_a_file_that_is_no_state_is_refused_by_name(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"checkpoint: got {path}, which is no checkpoint of st.montecarlo"):
        run(path)
    assert path.read_bytes() == content


def test_what_is_no_file_is_refused_by_name(tmp_path):
    for wrong in (tmp_path, tmp_path / "missing" / "state"):
        with pytest.raises(ValueError, match=f"checkpoint: got {wrong}; needs the name of a file in a folder"):
            run(wrong)
    with pytest.raises(TypeError, match="checkpoint: got 3; needs the path of a file"):
        run(3)


@pytest.mark.parametrize("every", [-1, float("nan"), float("inf")])
def test_a_time_between_states_that_is_none_is_refused(path, every):
    with pytest.raises(ValueError, match="checkpoint_every: got"):
        run(path, checkpoint_every=every)
    with pytest.raises(TypeError, match="checkpoint_every: got 'often'"):
        run(path, checkpoint_every="often")


# Disks.


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four pages; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs to mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def assert_full(path, before):
    with pytest.raises(OSError, match=rf"checkpoint: got {path}, which cannot be written \(No space left") as caught:
        run(path)
    assert caught.value.errno == errno.ENOSPC
    assert [file.name for file in path.parent.iterdir() if file.name != "filling"] == ["state"]
    assert path.read_bytes() == before


def test_a_full_disk_is_an_error_before_the_first_sample_and_leaves_the_state(small_disk, drawn):
    path = small_disk / "state"
    stopped_after(drawn, 2, path)
    before, whole = path.read_bytes(), bits(run(None))
    drawn[0].clear()
    (small_disk / "filling").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    assert_full(path, before)
    assert not drawn[0]
    (small_disk / "filling").unlink()
    assert bits(run(path)) == whole
    assert drawn[0] == [2, 3, 4, 5]


def test_a_disk_that_is_full_in_the_end_leaves_the_state(stopped, monkeypatch):
    calls, fsync = [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", full)
    assert_full(stopped, stopped.read_bytes())
    assert len(calls) == 2


def test_a_folder_that_takes_no_file_is_refused_before_the_first_sample(drawn):
    run(None)  # compiled while the cache may be written
    drawn[0].clear()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may write everywhere
        try:
            with pytest.raises(PermissionError, match=rf"checkpoint: got {folder}/state, which cannot be written"):
                run(Path(folder) / "state")
        finally:
            os.seteuid(user)
        assert not list(Path(folder).iterdir())
    assert not drawn[0]


def test_what_killed_writers_left_is_removed_and_nothing_else(stopped):
    folder = stopped.parent
    (folder / f"{atomic_files._prefix(stopped)}abcd_123").touch()
    others = {folder / ".state.backup", folder / ".other.abcd_123", folder / "state.abcd_123"}
    for other in others:
        other.touch()
    run(stopped)
    assert set(folder.iterdir()) == others | {stopped}


def test_a_file_of_two_runs_is_an_error_and_not_a_wrong_state(stopped, monkeypatch):
    before = stopped.read_bytes()
    fsync = os.fsync

    def other_run_begins(descriptor):
        fsync(descriptor)
        atomic_files.remove_leftovers(stopped)

    monkeypatch.setattr("os.fsync", other_run_begins)
    with pytest.raises(FileNotFoundError, match="needs a folder that stays, and a file that no other run writes"):
        run(stopped)
    assert stopped.read_bytes() == before
