"""The page to play with, in a real browser: its numbers are the library's, keys and sliders move the neuron."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import sobolev_theory as st

PAGE = (Path(__file__).parents[1] / "docs" / "play.html").read_text()
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = os.environ.get("CHROMIUM") or next((path for name in BROWSERS if (path := shutil.which(name))), None)
in_browser = pytest.mark.skipif(BROWSER is None, reason="no browser: set CHROMIUM or install chromium")

POINTS = ((1.0, np.pi / 2), (1.3, 2.0), (1.2, 0.2), (0.9, 2.9), (2.0, 1.1))
FLOWS = (((1.0, 0.0), False), ((1.0, 1.0), False), ((1.0, 1.0), True))
TIMES = (0.5, 1.0, 2.5)
START = (1.3, 1.0)  # from there the loss flow reaches the teacher's direction before the last of these times
PROBE = """
<script>
const points = %s, start = %s, times = %s;
const found = { points: points.map(([r, theta]) => numbers(r, theta)) };
found.runs = FLOWS.map((flow) => ({ ...follow(flow, ...start, times), path: null }));
found.away = follow(FLOWS[2], 1.5, 172 * PI / 180, []).end;
found.rows = document.querySelectorAll("#rows td").length;
const before = [state.r, state.theta];
handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
found.keyed = [before, [state.r, state.theta]];
find("angle").value = 45;
find("angle").dispatchEvent(new Event("input"));
found.slid = state.theta;
found.wide = document.documentElement.scrollWidth <= document.documentElement.clientWidth;
document.title = "found";
const out = document.createElement("pre"); out.id = "found"; out.textContent = JSON.stringify(found);
document.body.append(out);
</script></body>"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the page's own functions give, on a window as narrow as a phone's."""
    folder = tmp_path_factory.mktemp("play")
    path = folder / "play.html"
    path.write_text(PAGE.replace("</body>", PROBE % tuple(json.dumps(x) for x in (POINTS, START, TIMES))))
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=500,900"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom", path.as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)[1])


def test_the_page_is_one_file():
    assert "http" not in PAGE.replace("http-equiv", "")
    assert "default-src 'none'" in PAGE
    assert not re.search(r"(?:src|href)=", PAGE)


@in_browser
def test_losses_eigenvalues_and_rates_are_the_librarys(found):
    radius, angle = np.array(POINTS).T
    w = jnp.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    near = {"rtol": 1e-12, "atol": 1e-14}
    for name, value in (("L", st.single_neuron.l2_loss), ("J", st.single_neuron.seminorm_loss)):
        expected = [float(value(point, jnp.array([1.0, 0.0]))) for point in w]
        np.testing.assert_allclose([p["losses"][name] for p in found["points"]], expected, **near)
    eigenvalues = (
        st.single_neuron.l2_eigenvalues,
        st.single_neuron.h1_population_eigenvalues,
        st.single_neuron.h1_loss_hessian_eigenvalues,
    )
    for k, ((lambdas, boundary), of) in enumerate(zip(FLOWS, eigenvalues, strict=True)):
        ours = [p["flows"][k] for p in found["points"]]
        matrix = np.array([[f["matrix"][key] for key in ("radial", "inPlane", "orthogonal")] for f in ours])
        np.testing.assert_allclose(matrix.T, np.broadcast_arrays(*of(1 / radius, angle)), **near)
        rate = st.single_neuron.rate(lambdas, radius, angle, boundary=boundary)
        np.testing.assert_allclose([f["rate"]["raw"] for f in ours], rate.raw, rtol=1e-11)
        np.testing.assert_allclose([f["rate"]["perCurvature"] for f in ours], rate.per_curvature, rtol=1e-11)


@in_browser
def test_condition_numbers_are_those_of_the_jacobians_by_three_definitions(found):
    for (r, theta), point in zip(POINTS, found["points"], strict=True):
        w, teacher = jnp.array([r * np.cos(theta), r * np.sin(theta), 0.0]), jnp.array([1.0, 0.0, 0.0])
        of = (st.single_neuron.l2_jacobian, st.single_neuron.h1_population_jacobian, st.single_neuron.h1_loss_hessian)
        for function, flow in zip(of, point["flows"], strict=True):
            a = np.asarray(function(w, teacher))
            ours = flow["conditions"]
            assert np.linalg.eigvals(a).real.min() > 0, "a point without a condition number"
            values = np.sort(np.linalg.eigvals(a).real)
            symmetric = np.linalg.eigvalsh((a + a.T) / 2)
            expected = (values[-1] / values[0], np.linalg.cond(a), symmetric[-1] / symmetric[0])
            np.testing.assert_allclose([ours["ratio"], ours["norm"], ours["symmetric"]], expected, rtol=1e-11)


@in_browser
def test_flows_are_solutions_of_the_librarys_equations(found):
    for (lambdas, boundary), run in zip(FLOWS, found["runs"], strict=True):
        meets = lambda t, y, *_: y[1]  # noqa: E731
        meets.terminal = True
        exact = solve_ivp(
            lambda t, y, of=(lambdas, boundary): np.stack(st.single_neuron.flow(of[0], *y, boundary=of[1])),
            **{
                "t_span": (0.0, TIMES[-1]),
                "y0": START,
                "t_eval": TIMES,
                "events": meets,
                "rtol": 1e-9,
                "atol": 1e-11,
                "method": "DOP853",
            },
        )
        ours = np.array(run["seen"])[: len(exact.t)]
        np.testing.assert_allclose(ours[:, :2], exact.y.T, atol=1e-6)
        if boundary:
            assert run["arrival"] == pytest.approx(exact.t_events[0][0], abs=2e-3)
        else:
            assert run["arrival"] is None
    assert found["away"] == "vanishes"


@in_browser
def test_keys_and_sliders_move_the_neuron_and_all_fits_a_narrow_window(found):
    (r, theta), (r_after, theta_after) = found["keyed"]
    assert r_after * np.sin(theta_after) == pytest.approx(r * np.sin(theta) + 0.05)
    assert r_after * np.cos(theta_after) == pytest.approx(r * np.cos(theta))
    assert found["slid"] == pytest.approx(np.pi / 4)
    assert found["rows"] == 27
    assert found["wide"]
