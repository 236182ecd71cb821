"""Who cannot be installed is in the table with the reason, and nothing about it counts as passed or failed."""

import argparse
import http.client
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from clients import __main__ as trying
from clients.check import Row, asked
from clients.client import Said, Turn
from clients.judge import Outcome
from clients.place import Place
from clients.seat import seat_at
from clients.table import all_clients


def test_who_cannot_be_installed_is_told_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", "")
    client = all_clients()["openclaw"]
    place = Place(tmp_path, "http://127.0.0.1:9", "sk-nobody")
    rows = trying.tried(client, place, argparse.Namespace(apis=[], checks=["text"], record=None))
    assert [row.api for row in rows] == [api.name for api in client.apis]
    assert {outcome.state for row in rows for outcome in row.checks.values()} == {"not"}
    assert {outcome.reason for row in rows for outcome in row.checks.values()} == {
        "cannot be installed: npm is not on this machine"
    }
    assert not [name for row in rows for name in row.failed]


PASSED, FAILED, NOT = Outcome("passed"), Outcome("failed", "silence"), Outcome("not", "cannot be installed")


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([("1.0", PASSED), ("1.0", NOT)], 0, "1 checks passed, 0 failed, in 2 min"),
        ([("1.0", PASSED), ("", NOT)], trying.NOT_THERE, "1 checks passed, 0 failed, in 2 min; not installed: one"),
        ([("1.0", FAILED), ("", NOT)], trying.FAILED, "0 checks passed, 1 failed, in 2 min; not installed: one"),
    ],
)
def test_a_failure_and_what_is_not_there_end_otherwise(
    rows: list[tuple[str, Outcome]], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [Row("one", "One", version, "chat", "openai_chat", [], {"text": outcome}) for version, outcome in rows]
    assert trying.ended(made, 120) == code
    assert capsys.readouterr().err.strip() == words


def test_whatever_befalls_a_client_is_what_it_said(tmp_path: Path) -> None:
    def broken(*_: object) -> Said:
        raise http.client.IncompleteRead(b"", 9)

    client = replace(next(iter(all_clients().values())), ask=broken)
    seat = seat_at(client.apis[0], "http://127.0.0.1:9", "sk-nobody", tmp_path, tmp_path)
    said = asked(client, seat, Turn("text", "", "gemini-3.5-flash"))
    assert said.code == 1
    assert "IncompleteRead" in said.err


@pytest.mark.parametrize(("name", "check", "wanted"), [("instructor-json", "result", False), ("llm", "result", True)])
def test_what_a_client_cannot_do_is_nothing_to_try(name: str, check: str, wanted: bool) -> None:
    options = argparse.Namespace(apis=[], checks=[check])
    assert trying.is_wanted(all_clients()[name], options) == wanted


def test_clients_have_names_of_their_own_and_say_what_they_are_pointed_at() -> None:
    for name, client in all_clients().items():
        assert client.name == name
        assert client.apis
        assert len({api.name for api in client.apis}) == len(client.apis)
        assert all(client.lacks.values()), "a reason is said"


def test_the_pages_say_what_stands_behind_the_check_of_each_stream() -> None:
    root = Path(__file__).parents[2]
    rows = [line for line in (root / "clients" / "README.md").read_text().splitlines() if line.startswith("| `")]
    evidence = {row.split("`")[1]: row.rsplit("|", 2)[1].strip() for row in rows}
    page = " ".join((root / "docs" / "clients.md").read_text().split())
    for pieces in ("tells", "prints", "ends"):
        titles = {client.title for client in all_clients().values() if client.pieces == pieces and not client.library}
        assert {*evidence[pieces].removesuffix(", every library").split(", ")} == titles
        told = next(part for part in page.split(". ") if _BESIDE[pieces] in part)
        assert all(title in told for title in titles)


_BESIDE: Final = {"tells": "tell each piece", "prints": "watched printing", "ends": "print an answer when it is whole"}
