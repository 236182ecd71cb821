"""`portico connect --check`: it finds how a client was connected, calls as the client would, and says what is wrong."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from connect.samples import KEY as OTHER
from connect.samples import NAMES, WAYS
from connect.test_connect import FEW, Said, connect, files_in, portico
from connect.test_in_between import MARK, MODELS, checked, somebody, whole
from gateway.house import KEY
from portico.clients import CLIENTS, Api, Client

FILES = {
    "continue": ".continue/config.yaml",
    "llm": ".config/io.datasette.llm/extra-openai-models.yaml",
    "qwen-code": ".qwen/settings.json",
    "openclaw": ".openclaw/openclaw.json",
}


def said_of(said: Said) -> str:
    return "\n".join(said.json["problems"])


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
async def test_the_api_that_was_written_is_found_and_repeated(client: Client, api: Api, home: Path) -> None:
    async with portico() as (_, where):
        written = await connect(client.name, "--api", api.name, *where, "--models", FEW, "--write", "--json")
        env = written.json["environment"]
        found = await connect(client.name, *where[:2], "--check", "--json", env=env)
        assert (found.code, found.json["problems"], found.json["api"]) == (0, [], api.name)
        if found.json["mend"] is not None:  # it knows of more models by now
            words = shlex.split(found.json["mend"])
            assert ("--api" in words) == (api != client.apis[0])
            assert words[words.index("--url") + 1] == where[1]


@pytest.mark.parametrize("client", [one for one in CLIENTS if one.apis[1:]], ids=lambda one: one.name)
async def test_of_two_apis_that_were_written_the_last_is_found(client: Client, home: Path) -> None:
    async with portico() as (_, where):
        for api in (client.apis[0], client.apis[-1], client.apis[0], client.apis[1]):
            written = await connect(client.name, "--api", api.name, *where, "--write", "--json")
            env = written.json["environment"]
            assert (await connect(client.name, *where[:2], "--check", "--json", env=env)).json["api"] == api.name


async def test_writing_tells_how_just_that_is_checked(home: Path) -> None:
    async with portico() as (_, where):
        said = await connect("openclaw", "--api", "own-apis", "--model", "gemini-2.5-flash", *where, "--write")
        line = next(line for line in said.output.splitlines() if line.startswith("Then: "))
        words = shlex.split(line.partition("(")[2].partition(" makes")[0])
        assert words[1:] == [
            *("connect", "openclaw", "--api", "own-apis", "--url", where[1], "--model", "gemini-2.5-flash", "--check")
        ]
        assert (await connect(*words[2:])).code == 0


OTHER_NAMES = ["gemini-flash-latest", "gemini-2.5-flash-thinking"]


@pytest.mark.parametrize("model", OTHER_NAMES)
@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
async def test_a_model_is_checked_under_the_other_name_that_was_chosen(
    client: Client, api: Api, model: str, home: Path
) -> None:
    async with portico() as (_, where):
        written = await connect(client.name, "--api", api.name, *where, "--model", model, "--write", "--json")
        assert written.code == 0
        said = await connect(client.name, *where[:2], "--check", "--json", env=written.json["environment"])
        assert (said.code, said.json["model"], said.json["mend"]) == (0, model, None), said.output


@pytest.mark.parametrize("name", ["codex", "claude-code", "gemini-cli"])
async def test_a_mend_keeps_the_other_name_of_a_model_that_somebody_chose(name: str, home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect(name, *where, "--model", "gemini-2.5-flash", "--write")).code == 0
        for path, text in files_in(home).items():
            (home / path).write_text(text.replace("gemini-2.5-flash", "gemini-flash-latest"))
        said = await connect(name, *where[:2], "--check", "--json")
        assert (said.code, said.json["model"]) == (0, "gemini-flash-latest"), said.output
        if said.json["mend"] is not None:
            assert "--model gemini-flash-latest" in said.json["mend"]


@pytest.mark.parametrize("small", ["gemini-3.8-flash", "gemini-flash-lite-latest", "gone"])
@pytest.mark.parametrize("name", ["claude-code", "opencode", "aider"])
async def test_a_small_model_of_ones_own_choice_is_nothing_wrong_if_it_is_served(
    name: str, small: str, home: Path
) -> None:
    async with portico() as (_, where):
        first = ("--models", "gemini-3.8-flash,gemini-3.5-flash-lite")
        assert (await connect(name, *where, *first, "--write")).code == 0
        for path, text in files_in(home).items():
            (home / path).write_text(SMALL.sub(rf"\g<1>{small}", text))
        assert small in "".join(files_in(home).values())
        said = await connect(name, *where[:2], "--check", "--json")
        assert (said.code == 0) == (small != "gone"), said.output
        assert "small" in said.output.lower() or "weak" in said.output or "HAIKU" in said.output


SMALL = re.compile(
    r"""((?:HAIKU_MODEL"|small_model"|weak.model(?:.name)?): "?(?:portico/|openai/)?)gemini-3.5-flash-lite"""
)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.name)
async def test_a_client_that_was_told_of_one_model_is_connected(client: Client, home: Path) -> None:
    async with portico() as (_, where):
        written = await connect(client.name, *where, "--models", "gemini-3.8-flash", "--write", "--json")
        said = await connect(client.name, *where[:2], "--check", "--json", env=written.json["environment"])
        assert (said.code, said.json["problems"]) == (0, [])


async def test_a_number_that_is_old_is_nothing_wrong(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("claude-code", *where, "--write")).code == 0
        path = home / ".claude" / "settings.json"
        path.write_text(re.sub(r'(MAX_CONTEXT_TOKENS": )"\d+"', r'\1"1000"', path.read_text()))
        said = await connect("claude-code", *where[:2], "--check", "--json")
        assert (said.code, said.json["problems"]) == (0, [])
        assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" in said.json["notes"][0]


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
async def test_the_mend_mends(client: Client, api: Api, home: Path) -> None:
    """Whoever connected with --key has it nowhere but in the client's files."""
    async with portico() as (_, where):
        written = await connect(client.name, "--api", api.name, *where, "--models", FEW, "--write", "--json")
        env = written.json["environment"]
        found = await connect(client.name, *where[:2], "--check", "--json", env=env)
        assert found.code == 0
        if found.json["mend"] is None:  # it tells the client of no list
            return
        mended = await connect(*shlex.split(found.json["mend"])[2:], "--json", env=env)
        assert mended.code == 0, mended.errors
        assert KEY not in mended.output
        again = await connect(client.name, *where[:2], "--check", "--json", env=env)
        assert (again.code, again.json["problems"], again.json["notes"]) == (0, [], [])


async def test_a_key_that_a_file_has_goes_to_the_address_beside_it_alone(home: Path) -> None:
    asked: list[bytes] = []

    def answer(line: bytes) -> bytes:
        asked.append(line)
        return whole("401 Unauthorized", b"{}", MARK)

    async with portico() as (_, where), somebody(answer) as other:
        assert (await connect("gemini-cli", *where, "--write")).code == 0
        before = files_in(home)
        env = {"GOOGLE_GEMINI_BASE_URL": other, "GEMINI_API_KEY": OTHER}
        said = await connect("gemini-cli", "--url", other, "--write", env=env)
        assert (said.code, len(asked)) == (1, 1)
        assert "no key was given" in said.errors
        assert (await connect("gemini-cli", *where[:2], "--write", env=env)).code == 0
        assert files_in(home) == before


# -- what stands in lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
async def test_an_entry_with_another_address_is_wrong(name: str, home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect(name, *where, "--write")).code == 0
        path = home / FILES[name]
        before, behind = path.read_text().rsplit(where[1], 1)
        path.write_text(f"{before}http://elsewhere.example{behind}")
        said = await connect(name, *where[:2], "--check", "--json")
        assert said.code == 1
        if name == "openclaw":  # which has one address for all
            assert "asks http://elsewhere.example, not http://127.0.0.1" in said_of(said)
        else:
            assert "is http://elsewhere.example/v1" in said_of(said)


async def test_an_entry_without_an_address_is_wrong(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("llm", *where, "--write")).code == 0
        path = home / FILES["llm"]
        path.write_text(re.sub("\n *api_base: .*", "", path.read_text(), count=1))
        said = await connect("llm", *where[:2], "--check", "--json")
        assert (said.code, len(said.json["problems"])) == (1, 1)
        assert f".api_base is not there; it should be {where[1]}/v1." in said_of(said)


DEFAULTS: dict[str, Callable[[str], str]] = {
    "continue": lambda text: text.replace("Portico: default", "Mine"),
    "qwen-code": lambda text: json.dumps(_without_first(json.loads(text), "modelProviders", "openai")),
    "openclaw": lambda text: json.dumps(_without_first(json.loads(text), "models", "providers", "portico", "models")),
}


def _without_first(value: dict[str, object], *path: str) -> dict[str, object]:
    inner: object = value
    for step in path:
        assert isinstance(inner, dict)
        inner = inner[step]
    assert isinstance(inner, list)
    del inner[0]
    return value


@pytest.mark.parametrize("name", DEFAULTS)
async def test_a_list_without_the_model_that_is_asked_is_wrong(name: str, home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect(name, *where, "--write")).code == 0
        path = home / FILES[name]
        path.write_text(DEFAULTS[name](path.read_text()))
        said = await connect(name, *where[:2], "--check", "--json")
        assert said.code == 1
        assert "] is not there." in said_of(said)


async def test_a_model_of_others_that_stands_where_continue_looks_first_is_told(home: Path) -> None:
    path = home / FILES["continue"]
    async with portico() as (_, where):
        assert (await connect("continue", *where, "--write")).code == 0
        before, behind = path.read_text().split("models:\n")
        path.write_text(f"{before}models:\n  - name: Mine\n    provider: ollama\n    model: x\n{behind}")
        said = await connect("continue", *where[:2], "--check", "--json")
        assert said.code == 1
        assert "Continue asks the first of its models, 'Mine'" in said_of(said)


async def test_a_file_that_cannot_be_read_is_one_problem(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("gemini-cli", *where, "--write")).code == 0
        path = home / ".gemini" / "settings.json"
        path.write_text("{oops")
        said = await connect("gemini-cli", *where[:2], "--check", "--json")
        assert (said.code, len(said.json["problems"])) == (1, 1)
        assert f"{path}, line 1" in said_of(said)


# -- whose key -------------------------------------------------------------------------------------------------------


async def test_llm_without_its_own_key_is_not_connected_by_that_of_the_shell(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("llm", *where, "--write")).code == 0
        (home / ".config" / "io.datasette.llm" / "keys.json").unlink()
        said = await connect("llm", *where[:2], "--check", "--json", env={"PORTICO_API_KEY": KEY})
        assert said.code == 1
        assert "llm keys set portico" in said_of(said)
        instead = await connect("llm", *where[:2], "--check", "--json", env={"OPENAI_API_KEY": KEY})
        assert instead.code == 0


@pytest.mark.parametrize("name", ["codex", "claude-code", "openclaw"])
async def test_a_key_that_is_given_hides_no_wrong_one(name: str, home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect(name, *where, "--write")).code == 0
        for path, text in files_in(home).items():
            (home / path).write_text(text.replace(KEY, OTHER))
        said = await connect(name, *where, "--check", "--json")
        assert said.code == 1
        assert "uses another key than the one given here" in said_of(said)
        assert "Portico answered 401" in said_of(said)
        assert OTHER not in said.output


async def test_a_key_that_is_given_hides_no_missing_one(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("codex", *where, "--write")).code == 0
        (home / ".codex" / ".env").unlink()
        said = await connect("codex", *where, "--check", "--json")
        assert (said.code, said.json["tokens"] > 0) == (1, True)
        assert "Codex reads the key from $PORTICO_API_KEY" in said_of(said)


@pytest.mark.parametrize(
    ("name", "variable", "beats"),
    [
        ("openclaw", "PORTICO_API_KEY", True),
        ("gemini-cli", "GEMINI_API_KEY", True),
        ("continue", "PORTICO_API_KEY", True),
        ("qwen-code", "PORTICO_API_KEY", True),
        ("codex", "PORTICO_API_KEY", False),
        ("opencode", "PORTICO_API_KEY", False),
        ("claude-code", "ANTHROPIC_AUTH_TOKEN", False),
    ],
)
async def test_a_key_of_the_shell_is_used_where_the_client_would(
    name: str, variable: str, beats: bool, home: Path
) -> None:
    async with portico() as (_, where):
        assert (await connect(name, *where, "--write")).code == 0
        said = await connect(name, *where[:2], "--check", "--json", env={variable: OTHER})
        assert said.code == (1 if beats else 0), said.output
        assert any(f"takes ${variable} as this shell has it" in note for note in said.json["notes"]) == beats
        assert ("Portico answered 401" in said_of(said)) == beats


async def test_an_address_of_the_shell_is_the_one_that_is_asked(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("gemini-cli", *where, "--write")).code == 0
        env = {"GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1", "NO_PROXY": "*"}
        said = await connect("gemini-cli", "--check", "--json", env=env)
        assert said.code == 1
        assert "127.0.0.1:1 is not reached" in said_of(said)
        assert "It is the address that Gemini CLI has" in said_of(said)
        assert "takes $GOOGLE_GEMINI_BASE_URL as this shell has it" in said.json["notes"][0]


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, "where it is not set: export GOOGLE_GEMINI_BASE_URL=http://127"),
        ({"GOOGLE_GEMINI_BASE_URL": "http://x"}, "it is http://x"),
    ],
)
async def test_what_no_file_tells_is_looked_for_in_the_shell(env: dict[str, str], why: str, home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("continue", "--api", "gemini", *where, "--write")).code == 0
        said = await connect("continue", *where[:2], "--check", "--json", env=env)
        assert said.code == 1
        assert why in said_of(said)


async def test_who_gave_no_key_is_told_how_to_give_one(home: Path) -> None:
    async with portico() as (_, where):
        said = await connect("codex", *where[:2])
        assert said.code == 1
        assert said.errors.startswith(
            "Portico answered 401: no key was given. Give one by --key or in $PORTICO_API_KEY"
        )


# -- where it is sent ------------------------------------------------------------------------------------------------


async def test_no_key_goes_where_the_file_does_not_send_it(home: Path) -> None:
    asked: list[bytes] = []

    def answer(line: bytes) -> bytes:
        asked.append(line)
        return whole("200 OK", MODELS, MARK)

    async with portico() as (_, where), somebody(answer) as other:
        assert (await connect("codex", *where, "--write")).code == 0
        said = await connect("codex", "--url", other, "--key", OTHER, "--check", "--json")
        assert said.code == 1
        assert f"asks {where[1]}, not {other}" in said_of(said)
        assert f"--url {other} --write" in said_of(said)
        assert not asked


async def test_a_key_that_is_given_goes_to_no_address_that_only_a_file_has(home: Path) -> None:
    asked: list[bytes] = []

    def answer(line: bytes) -> bytes:
        asked.append(line)
        return whole("200 OK", MODELS, MARK)

    async with somebody(answer) as url:
        assert (await connect("codex", "--url", url, "--key", OTHER, "--write")).code == 0
        (home / ".codex" / ".env").unlink()
        asked.clear()
        said = await connect("codex", "--key", OTHER, "--check", "--json")
        assert (said.code, asked) == (1, [])
        assert f"Codex asks {url}, and the key given here was not sent there: add --url {url}" in said_of(said)
        await connect("codex", "--key", OTHER, "--check", "--json", env={"PORTICO_URL": url})
        assert asked


async def test_a_client_that_was_never_connected_is_sent_nowhere(home: Path) -> None:
    path = home / ".cline" / "data" / "settings" / "providers.json"
    path.parent.mkdir(parents=True)
    mine = {"provider": "openai-native", "apiKey": "sk-mine"}
    path.write_text(
        json.dumps({"lastUsedProvider": "openai-native", "providers": {"openai-native": {"settings": mine}}})
    )
    asked: list[bytes] = []

    def answer(line: bytes) -> bytes:
        asked.append(line)
        return whole("200 OK", MODELS, MARK)

    async with somebody(answer) as url:
        said = await connect("cline", "--url", url, "--check", "--json")
    assert (said.code, asked) == (1, [])
    assert f"portico connect cline --url {url} --write" in said_of(said)


# -- the end of a stream ---------------------------------------------------------------------------------------------

STREAMS: dict[str, tuple[list[str], list[str]]] = {
    "llm": (
        ['{"choices":[{"index":0,"delta":{"content":"one"},"finish_reason":null}]}'],
        ['{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', "[DONE]"],
    ),
    "codex": (
        ['{"type":"response.created","response":{}}', '{"type":"response.output_text.delta","delta":"one"}'],
        ['{"type":"response.completed","response":{"usage":{"total_tokens":3}}}'],
    ),
    "claude-code": (
        [
            '{"type":"message_start","message":{}}',
            '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one"}}',
        ],
        ['{"type":"message_delta","delta":{"stop_reason":"end_turn"}}', '{"type":"message_stop"}'],
    ),
    "gemini-cli": (
        ['{"candidates":[{"content":{"parts":[{"text":"one"}]}}]}'],
        ['{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}'],
    ),
}
"""What a stream begins with, and how it ends, by a client that asks for it."""


def stream_of(events: list[str]) -> bytes:
    return whole("200 OK", "".join(f"data: {one}\n\n" for one in events).encode(), MARK, kind=b"text/event-stream")


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_that_is_cut_after_any_event_is_no_answer(name: str, home: Path) -> None:
    begin, end = STREAMS[name]
    events = [*begin, *end]
    assert (await checked(home, stream_of(events), name)).code == 0
    for cut in range(1, len(events)):
        said = await checked(home, stream_of(events[:cut]), name)
        assert said.code == 1
        assert "The stream stops before its end" in said_of(said)


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_without_text_is_no_answer(name: str, home: Path) -> None:
    said = await checked(home, stream_of(STREAMS[name][1]), name)
    assert said.code == 1
    assert "there is no text in it" in said_of(said)


async def test_an_answer_that_thoughts_took_all_of_is_one(home: Path) -> None:
    end = ['{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}']
    assert (await checked(home, stream_of(end))).code == 0


# -- what programs read ----------------------------------------------------------------------------------------------


async def test_a_check_tells_programs_the_same_members_however_it_goes(home: Path) -> None:
    async with portico() as (_, where):
        documents = [(await connect("codex", *where, "--check", "--json")).json]
        assert (await connect("codex", *where, "--write")).code == 0
        documents.append((await connect("codex", "--check", "--json")).json)
    documents.append((await connect("codex", "--check", "--json", env={"NO_PROXY": "*"})).json)
    assert [document["ok"] for document in documents] == [False, True, False]
    assert len({tuple(document) for document in documents}) == 1
