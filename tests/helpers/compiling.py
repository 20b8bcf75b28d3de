"""What a test run spends on compiling: seconds and programs of each test module, printed at the end of the run.

Most of the time of the tests is the compiler's. A module whose number of programs grows, grows the run, and is seen.
"""

from collections import Counter, defaultdict

import jax
import pytest

PHASES = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
}
SHOWN = 20
KEY = "compiling"  # of what workers hand to the process that prints


class Compiling:
    """A plugin of pytest: collects in every worker, prints in the process that leads the run."""

    def __init__(self):
        self.modules = defaultdict(Counter)
        self._module = "collection"
        jax.monitoring.register_event_duration_secs_listener(self._spent)

    def _spent(self, event: str, seconds: float, **_):
        if (phase := PHASES.get(event)) is not None:
            self.modules[self._module][phase] += seconds
            self.modules[self._module]["programs"] += phase == "compile"

    def pytest_runtest_logstart(self, nodeid, location):
        self._module = nodeid.split("::")[0]

    def pytest_runtest_logreport(self, report):
        self.modules[report.nodeid.split("::")[0]]["all"] += report.duration

    def pytest_sessionfinish(self, session):
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[KEY] = {module: dict(spent) for module, spent in self.modules.items()}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error):
        for module, spent in getattr(node, "workeroutput", {}).get(KEY, {}).items():
            spent.pop("all", None)  # the leading process sees the reports itself
            self.modules[module].update(spent)

    def pytest_terminal_summary(self, terminalreporter):
        total = sum(self.modules.values(), Counter())
        compiled = total["trace"] + total["lower"] + total["compile"]
        write = terminalreporter.write_line
        terminalreporter.section("compiling")
        write(f"{total['programs']} programs, {compiled:.0f} of {total['all']:.0f} seconds; the slowest modules:")
        write(f"{'seconds':>8} {'trace':>7} {'lower':>7} {'compile':>7} {'programs':>8}  module")
        slowest = sorted(self.modules.items(), key=lambda item: -item[1]["all"])
        for module, spent in slowest[:SHOWN]:
            phases = "".join(f"{spent[phase]:8.1f}" for phase in PHASES.values())
            write(f"{spent['all']:8.1f}{phases} {spent['programs']:8d}  {module}")
