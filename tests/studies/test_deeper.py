"""The study of networks of three layers: a table that resumes, and what it says of each activation at its best."""

import jax
import numpy as np
import pytest

from studies import deeper


@pytest.mark.parametrize("name", deeper.ACTIVATIONS)
def test_a_run_gives_both_errors_of_every_rate_and_seed(name):
    found = jax.eval_shape(lambda: deeper.runs(name, 3, 16, 5)(jax.random.split(jax.random.key(0), 4)))
    assert found.shape == (len(deeper.RATES), 4, 2)


def test_the_command_adds_what_the_table_lacks_and_refuses(tmp_path, monkeypatch, capsys):
    calls = []

    def errors(name, inputs, points, steps, seeds):
        calls.append((name, inputs))
        of_rate = np.arange(1.0, 1 + len(deeper.RATES))[:, None, None] * np.ones((len(deeper.RATES), seeds, 2))
        return of_rate * (0.5 if name == "SiLU" else 1.0)

    monkeypatch.setattr(deeper, "errors", errors)
    table = tmp_path / "t.csv"
    command = ["--inputs", "2", "--seeds", "3", "--table", str(table)]
    assert deeper.main(command) == 0
    assert deeper.main([*command, "--inputs", "2", "5"]) == 0
    assert calls == [(name, inputs) for inputs in (2, 5) for name in deeper.ACTIVATIONS]
    capsys.readouterr()
    assert deeper.main([*command, "--show"]) == 0
    _, first, *_, last = capsys.readouterr().out.splitlines()
    assert first.split() == ["2", "128", "ReLU,", "autodiff", "0.003", "1.0000", "1.0000"]  # of the best rate
    assert "0.5000   3/3, p = 0.25" in last
    table.write_text("a,b\n")
    for wrong in (["--seeds", "0"], []):
        with pytest.raises(SystemExit, match="2"):
            deeper.main([*command, *wrong])


def test_the_table_in_the_repository_says_what_the_documentation_says():
    """No effect on slopes is seen in these networks, and smooth activations do better than either."""
    rows = deeper.read()
    autodiff, smoothed, silu = (
        deeper._best(rows, name)[1][:, 1] for name in ("ReLU, autodiff", "ReLU, smoothed step", "SiLU")
    )
    assert 2 <= np.sum(smoothed < autodiff) <= 6
    assert np.all(silu < np.minimum(smoothed, autodiff))
