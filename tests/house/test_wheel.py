"""The wheel: what is installed from it is whole, data files included, and runs away from the source."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project built into a wheel and installed into a folder of its own."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(["cp", "-r", str(ROOT / "src"), str(source / "src")], check=True)
    for left in (source / "src").glob("*.egg-info"):
        subprocess.run(["rm", "-r", str(left)], check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(work / "dist"), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (work / "dist").glob("portico-*.whl")
    target = work / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return target


def run(installed: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=installed, env=environment)
    return done.stdout


def test_the_installed_package_is_the_one_that_runs(installed: Path) -> None:
    assert run(installed, sys.executable, "-c", "import portico; print(portico.__file__)").startswith(str(installed))


def test_the_catalog_is_in_the_wheel(installed: Path) -> None:
    listed = json.loads(run(installed, sys.executable, "-m", "portico", "models", "--json"))
    assert "gemini-3.5-flash" in {row["id"] for row in listed["models"]}


def test_the_migrations_are_in_the_wheel(installed: Path) -> None:
    program = "import sys; from portico.store.migrate import upgrade; print(upgrade(sys.argv[1]))"
    url = f"sqlite:///{installed / 'books.db'}"
    assert run(installed, sys.executable, "-c", program, url).startswith("(None, '0")


def test_types_are_in_the_wheel(installed: Path) -> None:
    assert (installed / "portico" / "py.typed").is_file()


def test_the_command_is_installed(installed: Path) -> None:
    assert run(installed, sys.executable, str(installed / "bin" / "portico"), "--version").startswith("portico ")
