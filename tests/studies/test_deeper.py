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
    """The smoothed step lowers both errors in most seeds, slopes by an eighth; smooth activations do far better."""
    rows, better = deeper.read(), 0
    for inputs in ("2", "6", "12", "20"):
        of_size = [row for row in rows if (row["inputs"], row["points"]) == (inputs, "1024")]
        autodiff, smoothed, softplus = (
            deeper._best(of_size, name)[1] for name in ("ReLU, autodiff", "ReLU, smoothed step", "softplus")
        )
        better = better + np.sum(smoothed < autodiff, axis=0)
        ratio = np.median(smoothed, axis=0) / np.median(autodiff, axis=0)
        assert ratio[0] < 0.65
        assert 0.84 < ratio[1] < 0.89
        assert 7 * np.median(softplus[:, 1]) < np.median(smoothed[:, 1])
        assert np.all(softplus < np.minimum(smoothed, autodiff))
    np.testing.assert_array_equal(better, [78, 58])
