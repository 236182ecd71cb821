"""A run of pytest inside a run of pytest: what its tests come to is told by the outer one, each by itself."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from sdk import inner

TESTS = """
    import pytest

    class TestIt:
        def test_well(self):
            pass

        @pytest.mark.parametrize("value", ["a.b", "c::d"])
        def test_named(self, value):
            pass

    def test_badly():
        assert 6 * 9 == 42, "base thirteen"

    def test_broken(resource):
        pass

    @pytest.fixture
    def resource():
        raise ValueError("no such thing")

    def test_left():
        pytest.skip("nobody is here")

    @pytest.mark.xfail(reason="known since Tuesday")
    def test_known():
        raise ValueError
"""
ALL_SKIPPED = """
    import pytest

    def test_left():
        pytest.skip("nobody is here")
"""
DIES_LATE = """
    import atexit, os

    atexit.register(os._exit, 9)

    def test_well():
        pass
"""


def ran(folder: Path, tests: str) -> inner.Run:
    (folder / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    )
    module = folder / "test_within.py"
    module.write_text(dedent(tests))
    return inner.run(Path(sys.executable), folder / "pytest.ini", [module], {})


def test_each_test_is_a_result(tmp_path: Path) -> None:
    run = ran(tmp_path, TESTS)
    run.check()
    results = {result.name.removeprefix("test_within::"): result for result in run.results}
    assert {name: result.outcome for name, result in results.items()} == {
        "TestIt::test_well": "passed",
        "TestIt::test_named[a.b]": "passed",
        "TestIt::test_named[c::d]": "passed",
        "test_badly": "failed",
        "test_broken": "failed",
        "test_left": "skipped",
        "test_known": "skipped",
    }
    assert results["test_badly"].message.startswith("AssertionError: base thirteen")
    assert "E       AssertionError: base thirteen" in results["test_badly"].printed
    assert "ValueError: no such thing" in results["test_broken"].message
    assert "E       ValueError: no such thing" in results["test_broken"].printed
    assert results["test_left"].message == "nobody is here"
    assert results["test_left"].where[0].endswith("test_within.py")
    assert [name for name, result in results.items() if result.expected] == ["test_known"]


@pytest.mark.parametrize(
    ("tests", "says"),
    [
        ("", "no tests ran"),
        ("\n    def test_one(): pass\n    import no_such_module", "no_such_module"),
        (ALL_SKIPPED, "No test ran"),
        ("\n    import os\n    def test_dies(): os._exit(0)", "No test ran"),
        ("\n    import os\n    def test_dies(): os._exit(3)", "ended with 3"),
    ],
    ids=["empty", "not to be imported", "all skipped", "gone", "gone badly"],
)
def test_a_run_in_which_nothing_ran_is_a_failure(tmp_path: Path, tests: str, says: str) -> None:
    run = ran(tmp_path, tests)
    with pytest.raises(AssertionError, match=says):
        run.check()


def test_what_goes_wrong_after_the_last_test_is_a_failure(tmp_path: Path) -> None:
    run = ran(tmp_path, DIES_LATE)
    assert [result.outcome for result in run.results] == ["passed"]
    with pytest.raises(AssertionError, match="ended with 9"):
        run.check()


@pytest.mark.parametrize("processes", [0, 2])
def test_the_outer_run_tells_them(tmp_path: Path, processes: int) -> None:
    hooks = "inner_results, pytest_configure, pytest_runtest_makereport"
    (tmp_path / "conftest.py").write_text(f"from sdk.inner import {hooks}\n")
    (tmp_path / "within").mkdir()
    outer = """
        import sys
        from pathlib import Path
        from sdk import inner

        def test_outer(inner_results):
            within = Path(__file__).parent / "within"
            run = inner.run(Path(sys.executable), within / "pytest.ini", [within / "test_within.py"], {})
            inner_results.extend(run.results)

        def test_next():
            pass
    """
    ran(tmp_path / "within", TESTS)
    (tmp_path / "test_outer.py").write_text(dedent(outer))
    report = tmp_path / "outer.xml"
    command = [sys.executable, "-m", "pytest", "-rA", f"-n{processes}", f"--junit-xml={report}", "test_outer.py"]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[-1].strip("= ").startswith("2 failed, 5 passed, 1 skipped, 1 xfailed"), done.stdout
    assert any(line.startswith("FAILED test_outer.py::test_within::test_badly - AssertionError: b") for line in said)
    assert "PASSED test_outer.py::test_within::TestIt::test_named[a.b]" in said
    assert "XFAIL test_outer.py::test_within::test_known - known since Tuesday" in said
    assert any(line.startswith("SKIPPED [1]") and line.endswith(": nobody is here") for line in said), done.stdout
    assert "E       AssertionError: base thirteen" in said
    again = {case.name: case for case in inner.read(report)}["test_outer::test_within::test_badly"]
    assert (again.outcome, again.message[:29]) == ("failed", "AssertionError: base thirteen")
