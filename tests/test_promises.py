"""Sentences of README, documentation and docstrings: a test for each that has none among the tests of its module."""

import inspect
import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import sobolev_theory as st
from tests.helpers.public_calls import ACTIVATIONS, mixed, pair

ROOT = Path(__file__).parents[1]
PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]}
WRITTEN = "\n".join(PAGES.values())
GRADIENTS = (st.population_gradient, st.loss_gradient, st.boundary_term)
EXACT = (st.population_loss, *GRADIENTS, st.population_jacobian, st.loss_hessian)
WITH_LOSS = (*EXACT, st.spectrum, st.condition_number, st.extreme_eigenvalues)


# "Everything works under jit, vmap, grad and jacfwd." jit is in `test_settings`.


def total(f):
    """The sum of what a function returns, as a function of the weights of a student."""
    _, teacher = pair()
    return lambda w: sum(jnp.sum(leaf) for leaf in jax.tree.leaves(f(st.Network(w), teacher)))


@pytest.mark.parametrize("f", EXACT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("transformed", [jax.grad, jax.jacfwd], ids=lambda t: t.__name__)
def test_exact_functions_work_under_vmap_of_derivatives(f, transformed):
    batch = jnp.ones((3, 2, 2))
    assert jax.eval_shape(jax.vmap(transformed(total(f))), batch).shape == batch.shape


@pytest.mark.parametrize("f", GRADIENTS, ids=lambda f: f.__name__)
def test_gradients_are_networks_of_the_students_structure(f):
    for student, teacher in (pair(), pair(biased=True), mixed()):
        found = jax.eval_shape(f, student, teacher, st.L2)
        assert isinstance(found, st.Network) or f is st.boundary_term
        if isinstance(found, st.Network):
            assert jax.tree.structure(found) == jax.tree.structure(student)


# "Dtype follows the input": also where 64 bit is enabled.


@pytest.mark.parametrize("f", EXACT, ids=lambda f: f.__name__)
def test_networks_in_single_precision_stay_in_it(f):
    single = jax.tree.map(lambda x: x.astype(jnp.float32), pair(biased=True))
    found = jax.eval_shape(f, *single)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype(jnp.float32)}


# Parameters may be lists, also of traced numbers.

ONE = ([0.0, 1.0],)
LISTS = {
    "weights": lambda t: (st.Network([[jnp.cos(t), jnp.sin(t)]]), st.GaussianInput()),
    "output_weights": lambda t: (st.Network([[1.0, 0.5], [0.2, 0.1]], [t, 1.0]), st.GaussianInput()),
    "biases": lambda t: (st.Network([[1.0, 0.5]], biases=[t]), st.GaussianInput()),
    "covariance": lambda t: (st.Network([[1.0, 0.5]]), st.GaussianInput([[1.0, t], [t, 2.0]])),
    "diagonal covariance": lambda t: (st.Network([[1.0, 0.5]]), st.GaussianInput([t, 1.0])),
    "mean": lambda t: (st.Network([[1.0, 0.5]]), st.GaussianInput(mean=[t, 0.0])),
    "low rank": lambda t: (st.Network([[1.0, 0.5]]), st.GaussianInput(st.LowRank([t, 1.0], [[t], [0.3]]))),
}


@pytest.mark.parametrize("parameter", LISTS)
def test_a_list_may_hold_traced_numbers(parameter):
    def loss(t):
        student, inputs = LISTS[parameter](t)
        return st.population_loss(student, st.Network(*ONE), st.L2, inputs)

    assert jax.eval_shape(jax.vmap(jax.grad(loss)), jnp.array([0.3, 0.4])).shape == (2,)


def test_the_lambdas_of_a_loss_may_be_traced():
    found = jax.eval_shape(jax.grad(lambda t: st.population_loss(*pair(), st.SobolevLoss((1.0, t)))), 0.5)
    assert found.shape == ()


# "Norms from 1e-150 to 1e150 are ordinary input; of a power p the p-th root": for every activation in closed form.


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if not name.startswith("Elementwise")])
def test_losses_and_gradients_of_extreme_norms_are_finite(name):
    activation = ACTIVATIONS[name]()
    degree = {"RePU": 2, "Polynomial": 2}.get(name, 1)
    norms = 10.0 ** jnp.array([-150.0, 0.0, 150.0 / degree])
    student, teacher = (x.ravel() for x in jnp.meshgrid(norms, norms))

    @jax.vmap
    def values(r, r_star):
        one = st.Network(r * jnp.array([[0.6, 0.8]]), activation=activation)
        two = st.Network(r_star * jnp.array([[1.0, 0.0]]), activation=activation)
        return st.population_loss(one, two, st.L2), st.loss_gradient(one, two, st.L2).weights

    loss, gradient = values(student, teacher)
    assert jnp.isfinite(loss).all()
    assert jnp.isfinite(gradient).all()


# "What is wrong raises at once, with a message that names the argument, what it got and what it needs."

THREE = st.Network([1.0, 0.0, 0.0])
WRONG = {
    "student": ((3, pair()[1]), {}, TypeError, "student: got int; needs a Network"),
    "teacher": ((pair()[0], THREE), {}, ValueError, "teacher: got .*3 inputs; needs the student's 2"),
    "loss": (pair(), {"loss": "H1"}, TypeError, "loss: got 'H1'; needs a SobolevLoss"),
    "order": (pair(), {"loss": st.H2}, ValueError, "loss: got .*order 2; needs order at most 1"),
    "inputs": (pair(), {"inputs": 3}, TypeError, "inputs: got 3; needs a GaussianInput"),
    "dimension": (pair(), {"inputs": st.GaussianInput([1.0, 1.0, 1.0])}, ValueError, "inputs: got .*; needs .*2"),
}


@pytest.mark.parametrize("argument", WRONG)
@pytest.mark.parametrize("f", WITH_LOSS, ids=lambda f: f.__name__)
def test_wrong_arguments_are_named(f, argument):
    arguments, keywords, error, message = WRONG[argument]
    with pytest.raises(error, match=message):
        f(*arguments, **keywords)


@pytest.mark.parametrize("f", WITH_LOSS[-3:], ids=lambda f: f.__name__)
def test_an_unknown_matrix_is_named(f):
    with pytest.raises(ValueError, match="of: got 'both'; needs"):
        f(*pair(), of="both")


# What the README and the documentation name is there.


def test_the_dependencies_and_extras_of_the_documentation_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]} - {"jaxlib"}
    page = PAGES["docs/install.md"]
    sentence = re.search(r"installs `sobolev_theory` with ([^.]*)\.", page)[1]
    assert set(re.findall(r"[\w-]+", sentence)) - {"and"} == required
    extras = set(project["optional-dependencies"]) - {"dev"}
    assert extras <= set(re.findall(r"`([\w-]+)`", page))


def test_modules_files_and_targets_of_the_documentation_exist():
    modules = set(re.findall(r"python -m ([\w.]+)", WRITTEN))
    assert {module for module in modules if find_spec(module) is None} == set()
    paths = {path for path in re.findall(r"`([\w./]+/[\w.]*)`", WRITTEN) if not path.startswith("output/")}
    assert {path for path in paths if not any(ROOT.glob(path)) and not any(ROOT.rglob(path))} == set()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)`", WRITTEN)) <= targets


def texts():
    yield from PAGES.items()
    for path in sorted((ROOT / "examples").glob("*.ipynb")):
        yield path.name, "".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])
    for path in sorted(ROOT.glob("sobolev_theory/**/*.py")):
        yield str(path.relative_to(ROOT)), path.read_text()


@pytest.mark.parametrize(("name", "text"), texts(), ids=lambda x: x if len(x) < 80 else "")
def test_names_of_the_library_in_texts_exist(name, text):
    missing = []
    for dotted in set(re.findall(r"\bst\.((?:\w+\.)*\w+)", text)):
        found = st
        for part in dotted.split("."):
            found = getattr(found, part, None)
            if not inspect.ismodule(found):  # attributes of values are not followed
                break
        if found is None:
            missing.append(dotted)
    assert missing == []
