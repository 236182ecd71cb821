"""Who may call, and for what, at a whole gateway: keys, addresses, scopes."""

from typing import Any

import msgspec
import pytest

from gateway.house import House, Script, answers, candidate, chat, open_house, says
from portico.accounts import Keyring, KeyRow
from portico.accounts.keys import digest_of
from portico.catalog import EFFORTS, load_catalog
from portico.core.errors import StorageUnavailable

SECRET = "sk-portico-sample-one-0123456789"
PNG = "iVBORw0KGgo="
ROW = KeyRow("key_1", "acc_1", digest_of(SECRET), revision=1)
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
IN_SCOPE, OUT = "gemini-3.5-flash", "gemini-2.5-pro"
GOOGLES = [model for model in load_catalog().models.values() if model.vendor == "google"]
ALIAS, ALIASED = "gemini-flash-latest", load_catalog().resolve("gemini-flash-latest").model.name


def keyring(**more: Any) -> Keyring:
    return Keyring.of([msgspec.structs.replace(ROW, **more)])


def with_policy(text: str) -> Keyring:
    return keyring(policy=text)


async def ask(house: House, body: Any = None, **more: Any) -> Any:
    return await house.ask(chat() if body is None else body, key=SECRET, **more)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"revoked_us": 1}, "revoked"),
        ({"disabled_us": 1}, "disabled"),
        ({"closed_us": 1}, "closed"),
        ({"expires_us": 1}, "expired"),
        ({"policy": '{"allow_ips":["192.0.2.0/24"]}'}, "127.0.0.1"),
    ],
)
async def test_a_key_that_opens_nothing_is_a_401_that_says_why(changes: dict[str, Any], says: str) -> None:
    async with open_house(keyring=keyring(**changes)) as house:
        answer = await ask(house)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
        assert says in answer.error["message"]
        google = await house.ask(GEMINI, path=f"/v1beta/models/{IN_SCOPE}:generateContent?key={SECRET}", key=None)
        assert google.status == 401
        assert says in google.json()["error"]["message"]
        assert (await ask(house, b"", method="GET", path="/v1/models")).status == 401


@pytest.mark.parametrize("text", ["Hello", "long " * 100_000], ids=["short", "long"])
async def test_a_key_that_was_made_a_moment_ago_opens(text: str) -> None:
    """After a single 401 some clients shut a key out."""
    known, made = Keyring({"first-secret": "default"}), [ROW]

    async def catch_up() -> None:
        known.update(made)

    async with open_house(keyring=known, catch_up=catch_up) as house:
        assert (await ask(house, chat(text))).status == 200
        assert (await house.ask(chat(text), key="sk-portico-another-0123456789")).status == 401
        assert (await house.ask(chat(text), key=None)).status == 401


@pytest.mark.parametrize("text", ["Hello", "long " * 100_000], ids=["short", "long"])
async def test_whether_a_key_is_known_is_not_said_while_nobody_can_be_asked(text: str) -> None:
    async def catch_up() -> None:
        raise StorageUnavailable

    async with open_house(keyring=keyring(), catch_up=catch_up) as house:
        assert (await ask(house, chat(text))).status == 200
        assert (await house.ask(chat(text), key="sk-portico-another-0123456789")).status == 503
        assert (await house.ask(chat(text), key=None)).status == 401


async def test_a_key_is_used_from_the_addresses_it_is_meant_for() -> None:
    async with open_house(keyring=with_policy('{"allow_ips":["127.0.0.0/8"]}')) as house:
        assert (await ask(house)).status == 200


@pytest.mark.parametrize("policy", ["{}", '{"allow_ips":["127.0.0.0/8"]}'])
async def test_a_long_body_is_read_for_who_may_send_it(policy: str) -> None:
    async with open_house(keyring=with_policy(policy)) as house:
        assert (await ask(house, chat("long " * 100_000))).status == 200


async def test_a_revocation_holds_from_the_next_request_on() -> None:
    keys = keyring()
    async with open_house(keyring=keys) as house, house.connect() as wire:
        fields = {"host": "gateway", "authorization": f"Bearer {SECRET}"}
        wire.request("GET", "/v1/models", fields, b"")
        assert (await wire.rest()).status == 200
        keys.update([msgspec.structs.replace(ROW, revoked_us=1, revision=2)])
        wire.status = 0
        wire.request("GET", "/v1/models", fields, b"")
        assert (await wire.rest()).status == 401


async def test_settings_that_cannot_be_read_are_a_503_and_never_a_401() -> None:
    """Complaint 17: what is the gateway's fault does not make a client shut its key out."""
    async with open_house(keyring=with_policy("{}{")) as house:
        answer = await ask(house)
        assert (answer.status, answer.error["code"]) == (503, "storage_unavailable")
        assert "retry-after" in answer.headers
        assert (await ask(house, chat("long " * 100_000))).status == 503


# -- scopes ------------------------------------------------------------------------------------------------------------

CALLS: list[tuple[str, Any]] = [
    ("/v1/chat/completions", lambda model: chat(model=model)),
    ("/v1/chat/completions", lambda model: chat(model=model, stream=True)),
    ("/v1beta/models/{model}:generateContent", lambda _: GEMINI),
    ("/v1beta/models/{model}:streamGenerateContent?alt=sse", lambda _: GEMINI),
    ("/v1beta/models/{model}:countTokens", lambda _: GEMINI),
]


@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_a_model_out_of_scope_is_one_that_is_not_there(path: str, body: Any) -> None:
    async with open_house(keyring=with_policy('{"models":["gemini-3.5-*"]}')) as house:
        assert (await ask(house, body(IN_SCOPE), path=path.format(model=IN_SCOPE))).status == 200
        refused = await ask(house, body(OUT), path=path.format(model=OUT))
        unknown = await ask(house, body("gpt-nowhere"), path=path.format(model="gpt-nowhere"))
        assert refused.status == unknown.status == 404
        assert (
            f"The model {OUT!r} does not exist or you do not have access to it." in refused.json()["error"]["message"]
        )
        if "chat" in path:
            assert (refused.error["code"], refused.error["param"]) == ("model_not_found", "model")
            assert refused.error["type"] == unknown.error["type"]


async def test_nobody_is_asked_for_a_model_out_of_scope() -> None:
    provider = Script(answers(says("Hello")))
    async with open_house(provider, keyring=with_policy('{"models":["gemini-3.5-*"]}')) as house:
        for path, body in CALLS:
            assert (await ask(house, body(OUT), path=path.format(model=OUT))).status == 404
    assert provider.requests == []


async def test_a_prefix_opens_no_model_that_a_key_may_not_ask_for() -> None:
    async with open_house(keyring=with_policy('{"models":["models*","gemini/*"]}')) as house:
        for asked in (f"models/{OUT}", f"gemini/{OUT}", f"gemini/models/{OUT}"):
            assert (await ask(house, chat(model=asked))).status == 404
            assert (await ask(house, b"", method="GET", path=f"/v1/models/{asked}")).status == 404


async def test_an_alias_in_scope_opens_its_model_by_that_name_alone() -> None:
    async with open_house(keyring=with_policy(f'{{"models":["{ALIAS}"]}}')) as house:
        assert (await ask(house, chat(model=ALIAS))).status == 200
        assert (await ask(house, chat(model=ALIASED))).status == 404


@pytest.mark.parametrize("path", ["/v1/models", "/v1beta/models?pageSize=1000"])
async def test_lists_show_what_a_key_may_ask_for(path: str) -> None:
    def names(answer: Any) -> set[str]:
        body = answer.json()
        return {row["id"] for row in body["data"]} if "data" in body else {row["name"][7:] for row in body["models"]}

    async with open_house(keyring=keyring()) as house:
        every = names(await ask(house, b"", method="GET", path=path))
    async with open_house(keyring=with_policy('{"models":["gemini-3.5-*"]}')) as house:
        some = names(await ask(house, b"", method="GET", path=path))
    async with open_house(keyring=with_policy('{"models":["nothing-*"]}')) as house:
        none = names(await ask(house, b"", method="GET", path=path))
    assert IN_SCOPE in some < every
    assert OUT in every - some
    assert none == set()


@pytest.mark.parametrize("path", ["/v1/models/", "/v1beta/models/"])
async def test_one_model_is_shown_to_who_may_ask_for_it(path: str) -> None:
    async with open_house(keyring=with_policy('{"models":["gemini-3.5-*"]}')) as house:
        assert (await ask(house, b"", method="GET", path=path + IN_SCOPE)).status == 200
        assert (await ask(house, b"", method="GET", path=path + OUT)).status == 404


# -- settings ----------------------------------------------------------------------------------------------------------


def effort_of(sent: Any) -> Any:
    return sent.get("generationConfig", {}).get("thinkingConfig", {}).get("thinkingLevel")


@pytest.mark.parametrize(
    ("body", "level"),
    [
        (chat(), "HIGH"),
        (chat(reasoning_effort="low"), "LOW"),
        (chat(model="gemini-3.5-flash-minimal"), "MINIMAL"),
        (chat(max_tokens=50), "HIGH"),
    ],
)
async def test_a_model_thinks_as_the_key_says_where_the_call_does_not(body: Any, level: str) -> None:
    provider = Script(answers(says("Hello")))
    async with open_house(provider, keyring=with_policy('{"default_effort":"high"}')) as house:
        assert (await ask(house, body)).status == 200
    assert [effort_of(sent) for sent in provider.bodies] == [level]


async def test_a_model_that_thinks_as_it_will_is_not_asked_to() -> None:
    names = [m.name for m in GOOGLES if not m.thinking_can_be_steered and m.kind == "chat"]
    policy = '{"default_effort":"high","strict":true}'
    async with open_house(Script(answers(says("Hello"))), keyring=with_policy(policy)) as house:
        for name in names[:3]:
            answer = await ask(house, chat(model=name))
            assert (answer.status, answer.changes) == (200, []), name
    assert names


async def test_a_key_may_be_strict_and_a_call_have_its_own_mind() -> None:
    async with open_house(Script(answers(says("Hello"))), keyring=with_policy('{"strict":true}')) as house:
        body = chat(logit_bias={"5": 1})
        assert (await ask(house, body)).error["code"] == "unsupported_parameter"
        assert (await ask(house, body, headers={"x-portico-strict": "false"})).status == 200


async def test_images_come_as_the_key_says_where_the_call_does_not() -> None:
    dot = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    provider = Script(answers(candidate({"text": "Look:"}, dot)))
    async with open_house(provider, keyring=with_policy('{"image_form":"images"}')) as house:
        message = (await ask(house)).message
        assert (message["content"], len(message["images"])) == ("Look:", 1)
        message = (await ask(house, headers={"x-portico-image-form": "markdown"})).message
        assert "data:image/png;base64," in message["content"]


EVERY = [m.name for m in GOOGLES if m.kind == "chat" and not m.retired]


@pytest.mark.parametrize("effort", EFFORTS)
async def test_an_effort_that_nobody_asked_for_is_no_loss_of_theirs(effort: str) -> None:
    policy = f'{{"default_effort":"{effort}","strict":true}}'
    async with open_house(Script(answers(says("Hello"))), keyring=with_policy(policy)) as house:
        for name in EVERY:
            answer = await ask(house, chat(model=name))
            assert (answer.status, answer.changes) == (200, []), name
