"""The wire before Portico keeps what a client sends and how it is answered, and passes every byte."""

import http.client
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from clients.evidence import read_sent
from clients.judge import PACE_S
from clients.wire import recording
from gateway.house import KEY, chat, house_in_a_thread

HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


def test_what_is_sent_is_kept_without_its_key_and_the_answer_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "sent.jsonl"
    with house_in_a_thread() as house, recording(f"http://127.0.0.1:{house.port}", file) as address:
        for text in ("one", "two"):
            data = json.dumps(chat(text)).encode()
            asked = urllib.request.Request(f"{address}/v1/chat/completions?a=b", data, HEADERS)  # noqa: S310
            with urllib.request.urlopen(asked) as answer:  # noqa: S310
                assert f'You said: \\"{text}\\"' in answer.read().decode()
    assert KEY not in file.read_text()
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["method"], one["path"], one["query"], one["body"]) for one in kept] == [
        ("POST", "/v1/chat/completions", "a=b", chat("one")),
        ("POST", "/v1/chat/completions", "a=b", chat("two")),
    ]


def test_how_each_request_of_a_connection_is_answered_is_kept(tmp_path: Path) -> None:
    """Streams piece by piece, everything else in one; an answer to HEAD has no body."""
    file = tmp_path / "sent.jsonl"
    prompt = chat(f"Answer. [[sim:words=40]] [[sim:slow={PACE_S}]]")
    bodies: list[dict[str, Any]] = [{**prompt, "stream": True}, {**prompt, "model": "none-such"}, prompt]
    with house_in_a_thread() as house, recording(f"http://127.0.0.1:{house.port}", file) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("HEAD", "/v1/models", headers=HEADERS)
        connection.getresponse().read()
        for body in bodies:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), HEADERS)
            connection.getresponse().read()
        connection.close()
    streamed, refused, whole = read_sent(file.read_bytes())
    assert [one.status for one in (streamed, refused, whole)] == [200, 404, 200]
    assert streamed.pieces >= 10
    assert streamed.over_s >= 10 * PACE_S
    assert [one.pieces for one in (refused, whole)] == [1, 1]
    assert refused.model == "none-such"


def test_what_nobody_answers_is_kept_as_such(tmp_path: Path) -> None:
    file = tmp_path / "sent.jsonl"
    with house_in_a_thread() as house, recording(f"http://127.0.0.1:{house.port}", file) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps(chat("[[sim:stall=30]]")), HEADERS)
        connection.close()
        until = time.monotonic() + 20
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.02)
    assert [one.status for one in read_sent(file.read_bytes())] == [0]
