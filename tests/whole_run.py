"""A plug-in of pytest: no test of a run is skipped or missing, and which failed is written down."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of which something is missing, though nothing in it has failed."""
    if session.exitstatus == pytest.ExitCode.OK and _missing(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    _write_failures(session.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run without a failure has failed."""
    for title, lines in _missing(terminalreporter.config).items():
        terminalreporter.section(title, red=True)
        for line in lines:
            terminalreporter.write_line(line)


def _write_failures(config: pytest.Config) -> None:
    """Write which tests failed into the file that CREDTRAY_FAILURES names (packaging/twice.sh)."""
    reporter, path = config.pluginmanager.get_plugin("terminalreporter"), os.environ.get("CREDTRAY_FAILURES")
    if not path or not isinstance(reporter, pytest.TerminalReporter):
        return
    failed = [report.nodeid for kind in ("failed", "error") for report in reporter.stats.get(kind, [])]
    Path(path).write_text("".join(f"{name}\n" for name in dict.fromkeys(failed)), "utf-8")


def _missing(config: pytest.Config) -> dict[str, list[str]]:
    """Return what this run should have done and has not, by a title.

    On a build server (CI=true) a skipped test is a failed one: there is nobody to notice it. And whoever runs
    a selection may say how many tests must have passed (CREDTRAY_LEAST_PASSED), so that none gets lost.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter):
        return {}
    missing = {}
    skipped, passed = reporter.stats.get("skipped", []), len(reporter.stats.get("passed", []))
    if os.environ.get("CI") == "true" and skipped:
        missing["skipped tests fail this run (CI=true)"] = [report.nodeid for report in skipped]
    least = int(os.environ.get("CREDTRAY_LEAST_PASSED", "0"))
    if passed < least:
        missing["tests are missing"] = [f"{passed} passed, {least} were expected (CREDTRAY_LEAST_PASSED)"]
    return missing
