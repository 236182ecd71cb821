"""The wire before Portico keeps what a client sends, and passes every byte."""

import json
import urllib.request
from pathlib import Path

from clients.proxy import recording
from gateway.house import KEY, chat, house_in_a_thread


def test_what_is_sent_is_kept_without_its_key_and_the_answer_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "sent.jsonl"
    with house_in_a_thread() as house, recording(f"http://127.0.0.1:{house.port}", file) as address:
        for text in ("one", "two"):
            headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
            data = json.dumps(chat(text)).encode()
            asked = urllib.request.Request(f"{address}/v1/chat/completions?a=b", data, headers)  # noqa: S310
            with urllib.request.urlopen(asked) as answer:  # noqa: S310
                assert f'You said: \\"{text}\\"' in answer.read().decode()
    assert KEY not in file.read_text()
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["method"], one["path"], one["query"], one["body"]) for one in kept] == [
        ("POST", "/v1/chat/completions", "a=b", chat("one")),
        ("POST", "/v1/chat/completions", "a=b", chat("two")),
    ]
