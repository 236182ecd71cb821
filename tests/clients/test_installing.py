"""What stands in the way of an installation is told, and an installation that takes long says that it goes on."""

import os
import time
from pathlib import Path

import pytest

from clients import installs
from clients.__main__ import old_node, telling
from clients.installs import InstallFailed


def npm(folder: Path, script: str) -> dict[str, str]:
    """An environment in which npm is a script."""
    program = folder / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]])}


def wanted(folder: Path) -> Path:
    asked = folder / "any"
    asked.mkdir()
    (asked / "package.json").write_text("{}")
    (asked / "package-lock.json").write_text('{"packages": {}}')
    return asked


def test_a_full_disk_is_told_in_the_words_of_the_installer(tmp_path: Path) -> None:
    environment = npm(tmp_path, "echo 'npm error code ENOSPC' >&2; exit 228")
    cache = tmp_path / "cache"
    with pytest.raises(InstallFailed, match="ENOSPC"):
        installs.node_modules(wanted(tmp_path), cache, environment)
    assert not [entry for entry in cache.iterdir() if entry.is_dir()], "nothing half made is left"


def test_a_cache_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(InstallFailed, match="cache"):
        installs.node_modules(wanted(tmp_path), tmp_path / "cache", npm(tmp_path, ""))


def test_what_a_killed_run_left_half_made_is_removed(tmp_path: Path) -> None:
    asked, environment, cache = wanted(tmp_path), npm(tmp_path, "mkdir node_modules"), tmp_path / "cache"
    name = installs.node_modules(asked, tmp_path / "other", environment).name
    left, of_another = cache / f"making-{name}-of-then", cache / "making-another-of-now"
    for folder in (left, of_another):
        folder.mkdir(parents=True)
    assert (installs.node_modules(asked, cache, environment) / "node_modules").is_dir()
    assert not left.exists()
    assert of_another.exists(), "somebody may be making it"


@pytest.mark.parametrize(
    ("version", "is_old"), [("v18.20.4", True), ("v20.0.0", False), ("v24.16.0", False), ("", False)]
)
def test_a_node_that_clients_do_not_run_with_is_told(
    version: str, is_old: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert old_node() == (f"Node.js {version} is old: clients of npm may need 20 or newer" if is_old else "")


def test_what_takes_long_says_so_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    said = ""
    with telling("one: installing", first_s=0.05, every_s=0.05):
        while said.count("\n") <= 2:
            time.sleep(0.05)
            said += capsys.readouterr().err
    with telling("two: installing", first_s=60):
        pass
    said += capsys.readouterr().err
    assert all(line.startswith("one: installing, ") for line in said.splitlines())
