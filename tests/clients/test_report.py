"""The table of clients: what was tried anew is written down, what was not stays, and no reason is kept back."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import pytest

import portico
from clients import report
from clients.check import Row
from clients.judge import CHECKS, PASSED, Outcome

VERSION: Final = portico.__version__
DAY, NEXT_DAY = date(2026, 11, 28), date(2026, 11, 29)
ORDER: Final = [("one", "chat"), ("two", "chat"), ("two", "other")]


def row(client: str, api: str = "chat", **checks: Outcome) -> Row:
    return only(client, dict.fromkeys(CHECKS, PASSED) | checks, api)


def only(client: str, checks: dict[str, Outcome], api: str = "chat", version: str = "1.0") -> Row:
    return Row(client, client.title(), version, api, "openai_chat", ["gemini-3.5-flash"], checks)


def written(tmp_path: Path, *tables: report.Table, order: Sequence[report.Place] = ORDER) -> tuple[str, report.Table]:
    page, file = tmp_path / "clients.md", tmp_path / "clients.json"
    page.write_text(f"# Before\n{report.MARKS[0]}old\n{report.MARKS[1]}after\n")
    for told in tables:
        report.write(told, order, page=page, file=file)
    return page.read_text(), msgspec.json.decode(file.read_bytes(), type=report.Table)


def test_a_table_is_written_with_its_reasons(tmp_path: Path) -> None:
    told = report.table([row("one", image=Outcome("not", "no pictures"), error=Outcome("failed", "silence"))], DAY)
    page, data = written(tmp_path, told)
    assert page.startswith("# Before\n")
    assert page.endswith("after\n")
    assert "old" not in page
    assert "Tried on 2026-11-28" in page
    assert "| One | 1.0 | chat | yes | yes | yes | yes | – | **no** | 4 of 6 |" in page
    assert "- One, chat, image: no pictures" in page
    assert "- One, chat, error: silence" in page
    assert data.rows[0].checks["error"] == "failed"


def test_who_was_not_tried_stays_with_the_day_of_then(tmp_path: Path) -> None:
    first = report.table([row("one"), row("two")], DAY)
    second = report.table([row("two", text=Outcome("failed", "silence"))], NEXT_DAY)
    page, data = written(tmp_path, first, second)
    assert [(one.client, one.checks["text"], one.measured) for one in data.rows] == [
        ("one", "passed", "2026-11-28"),
        ("two", "failed", "2026-11-29"),
    ]
    assert "Tried on 2026-11-28 to 2026-11-29 with Portico" in page


def test_each_row_keeps_the_version_that_answered_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = report.table([row("one"), row("two")], DAY)
    monkeypatch.setattr(portico, "__version__", "99.0.0")
    page, data = written(tmp_path, first, report.table([row("two")], NEXT_DAY))
    assert [(one.client, one.portico) for one in data.rows] == [("one", VERSION), ("two", "99.0.0")]
    assert f"Tried on 2026-11-28 to 2026-11-29 with Portico {VERSION} to 99.0.0." in page
    _, data = written(tmp_path, first, report.table([only("two", {"text": PASSED})], NEXT_DAY))
    assert data.rows[1].portico == VERSION, "the version of the oldest check in it"


def test_one_api_of_a_client_may_be_tried_again(tmp_path: Path) -> None:
    _, data = written(
        tmp_path, report.table([row("two"), row("two", "other")], DAY), report.table([row("two", "other")], NEXT_DAY)
    )
    assert [(one.api, one.measured) for one in data.rows] == [("chat", "2026-11-28"), ("other", "2026-11-29")]


def test_a_check_that_was_tried_again_stands_among_those_that_were_not(tmp_path: Path) -> None:
    first = row("one", text=Outcome("failed", "silence"), image=Outcome("not", "no pictures"))
    again = only("one", {"text": PASSED, "tool": Outcome("failed", "no file")})
    _, data = written(tmp_path, report.table([first], DAY), report.table([again], NEXT_DAY))
    assert data.rows[0].checks == {**dict.fromkeys(CHECKS, "passed"), "tool": "failed", "image": "not"}
    assert [*data.rows[0].checks] == [*CHECKS]
    assert data.rows[0].reasons == {"tool": "no file", "image": "no pictures"}
    assert data.rows[0].measured == "2026-11-28", "the day of the oldest check in it"


def test_checks_of_another_version_do_not_stay(tmp_path: Path) -> None:
    newer = only("one", {"text": PASSED}, version="1.1")
    _, data = written(tmp_path, report.table([row("one")], DAY), report.table([newer], NEXT_DAY))
    assert data.rows[0].checks == {"text": "passed"}
    assert data.rows[0].measured == "2026-11-29"


def test_who_could_not_be_installed_this_time_keeps_what_was_seen(tmp_path: Path) -> None:
    missing = only("one", dict.fromkeys(CHECKS, Outcome("not", "cannot be installed: no network")), version="")
    _, data = written(tmp_path, report.table([row("one")], DAY), report.table([missing], NEXT_DAY))
    assert {*data.rows[0].checks.values()} == {"passed"}
    (tmp_path / "then").mkdir()
    _, data = written(tmp_path / "then", report.table([missing], DAY), report.table([row("one")], NEXT_DAY))
    assert {*data.rows[0].checks.values()} == {"passed"}


def test_who_is_tried_no_more_is_gone(tmp_path: Path) -> None:
    written(tmp_path, report.table([row("one")], DAY))
    _, data = written(tmp_path, report.table([row("two")], NEXT_DAY))
    assert [one.client for one in data.rows] == ["one", "two"]
    _, data = written(tmp_path, report.table([row("two")], NEXT_DAY), order=[("two", "chat")])
    assert [one.client for one in data.rows] == ["two"]
