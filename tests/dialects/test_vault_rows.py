"""The vault (mapping.md 2.4, channel D): bounded by bytes and by age, kept apart by tenant, exact on the way back."""

import msgspec
import pytest

from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.request import Message, PlainMessages, Request, Role
from portico.core.response import Candidate, Response
from portico.vault import (
    CallKept,
    MemoryVault,
    OpaqueKept,
    TextKept,
    TurnRecord,
    TurnRecorder,
    keys_of_message,
    keys_of_request,
    restore,
)

SIGNER = "gemini-3@gemini"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(id_: str = "call_a", size: int = 0) -> TurnRecord:
    return TurnRecord(SIGNER, (CallKept(id_, None, Signature("google", "x" * size)),))


async def found(vault: MemoryVault, tenant: str, *keys: str) -> set[str]:
    return set(await vault.find(tenant, keys))


async def test_what_is_kept_is_found_by_its_tenant_only() -> None:
    vault = MemoryVault(Clock())
    vault.keep("one", ["call:a", "call:b"], record("a"))
    vault.keep("two", ["call:a"], record("other"))
    assert await found(vault, "one", "call:a", "call:b", "call:c") == {"call:a", "call:b"}
    assert await found(vault, "two", "call:a", "call:b") == {"call:a"}
    assert await found(vault, "three", "call:a") == set()
    assert (await vault.find("two", ["call:a"]))["call:a"] == record("other")


async def test_a_record_lives_for_its_time_and_no_longer() -> None:
    clock = Clock()
    vault = MemoryVault(clock, ttl_s=60)
    vault.keep("t", ["call:a"], record())
    clock.now += 59
    assert await found(vault, "t", "call:a") == {"call:a"}
    clock.now += 1
    assert await found(vault, "t", "call:a") == set()
    vault.keep("t", ["call:b"], record())
    assert len(vault) == 1


async def test_keeping_again_starts_the_time_anew() -> None:
    clock = Clock()
    vault = MemoryVault(clock, ttl_s=60)
    vault.keep("t", ["call:a"], record())
    clock.now += 40
    vault.keep("t", ["call:b"], record())
    vault.keep("t", ["call:a"], record())
    clock.now += 40
    assert await found(vault, "t", "call:a", "call:b") == {"call:a", "call:b"}
    assert len(vault) == 2


async def test_it_never_holds_more_bytes_than_it_may() -> None:
    vault = MemoryVault(Clock(), max_bytes=10_000)
    for number in range(200):
        vault.keep("t", [f"call:{number}"], record(size=number * 7))
        assert vault.size_bytes <= 10_000
    kept_records = await vault.find("t", [f"call:{number}" for number in range(200)])
    assert list(kept_records) == [f"call:{n}" for n in range(200 - len(kept_records), 200)], "the oldest goes first"
    assert vault.size_bytes == sum(one.size_bytes for one in kept_records.values())


async def test_what_is_larger_than_the_vault_is_not_kept_and_throws_nothing_out() -> None:
    vault = MemoryVault(Clock(), max_bytes=10_000)
    vault.keep("t", ["call:a"], record())
    vault.keep("t", ["call:b"], record(size=20_000))
    assert await found(vault, "t", "call:a", "call:b") == {"call:a"}


async def test_replacing_a_record_does_not_count_it_twice() -> None:
    vault = MemoryVault(Clock())
    for _ in range(5):
        vault.keep("t", ["call:a"], record(size=100))
    assert (len(vault), vault.size_bytes) == (1, record(size=100).size_bytes)


def test_a_record_weighs_at_least_what_it_hides() -> None:
    large = TurnRecord(SIGNER, (OpaqueKept("gemini", {"toolResponse": {"response": "x" * 50_000}}), TextKept(10**9)))
    assert 50_000 < large.size_bytes < 60_000, "text is not kept, only its length"


# -- putting back -----------------------------------------------------------------------------------------------------

A, B = Signature("google", "QQ=="), Signature("google", "Qg==")
PARTS: tuple[Part, ...] = (
    Text("one "),
    Opaque("gemini", {"toolCall": {"id": "s1"}, "thoughtSignature": "Uw=="}),
    Text("two", A),
    ToolCall("call_A1", "f", "{}", minted=True, upstream_id="up1", signature=B),
    ToolCall("call_B2", "g", "{}", minted=True, upstream_id="up2"),
)


def kept(*parts: Part) -> dict[str, TurnRecord]:
    recorder = TurnRecorder(SIGNER)
    recorder.feed_response(Response(None, None, (Candidate(0, parts, None),)))
    return {key: one for keys, one in recorder.records() for key in keys}


def request(*parts: Part) -> Request:
    return Request("m", (Message(Role.USER, (Text("hi"),)), Message(Role.ASSISTANT, parts)))


def restored(found_records: dict[str, TurnRecord], *parts: Part) -> tuple[Part, ...]:
    asked = request(*parts)
    keys = [key for key in keys_of_request(asked) if key in found_records]
    return restore(asked, {key: found_records[key] for key in keys}).messages[1].parts


def named(part: Part) -> Part:
    """The part as it comes back: its signature says who made it, a call knows its own id."""
    if isinstance(part, (Text, ToolCall)) and part.signature is not None:
        part = msgspec.structs.replace(part, signature=Signature("google", part.signature.data, SIGNER))
    if isinstance(part, ToolCall):
        part = msgspec.structs.replace(part, minted=part.upstream_id is None)
    return part


def sent(id_: str, name: str = "f") -> ToolCall:
    """A call as a client sends it back."""
    return ToolCall(id_, name, "{}")


# (name, what the client sends back)
EXACT: list[tuple[str, tuple[Part, ...]]] = [
    ("flattened, as Chat does", (Text("one two"), sent("call_A1"), sent("call_B2", "g"))),
    ("with ids that lost their punctuation", (Text("one two"), sent("callA1"), sent("callB2", "g"))),
    ("calls in another order", (Text("one two"), sent("call_B2", "g"), sent("call_A1"))),
    ("text in several parts", (Text("o"), Text("ne two"), sent("call_A1"), sent("call_B2", "g"))),
]


@pytest.mark.parametrize(("name", "parts"), EXACT, ids=[row[0] for row in EXACT])
def test_a_turn_that_says_the_same_gets_its_layout_back(name: str, parts: tuple[Part, ...]) -> None:
    calls = {part.name: part.id for part in parts if isinstance(part, ToolCall)}
    expected = []
    for part in PARTS:
        back = named(part)
        if isinstance(back, ToolCall):
            back = msgspec.structs.replace(back, id=calls[back.name])
        expected.append(back)
    assert list(restored(kept(*PARTS), *parts)) == expected


def test_thoughts_that_a_client_kept_stay_in_front() -> None:
    parts = (Reasoning("hm"), Text("one two"), sent("call_A1"), sent("call_B2", "g"))
    assert restored(kept(*PARTS), *parts)[0] == Reasoning("hm")


# (name, what the client sends back, the signatures of what goes out)
EDITED: list[tuple[str, tuple[Part, ...], list[str | None]]] = [
    ("text cut", (Text("one"), sent("call_A1"), sent("call_B2", "g")), [None, "Qg==", None]),
    ("text gone", (sent("call_A1"), sent("call_B2", "g")), ["Qg==", None]),
    ("a call gone", (Text("one two"), sent("call_A1")), [None, "Qg=="]),
    ("the signed call gone", (Text("one two"), sent("call_B2", "g")), [None, None]),
    ("a call more", (sent("call_A1"), sent("call_B2", "g"), sent("call_C3")), ["Qg==", None, None]),
    ("a picture more", (Media("image/png", data="eA=="), Text("one two"), sent("call_A1"), sent("call_B2", "g")),
     [None, None, "Qg==", None]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parts", "signatures"), EDITED, ids=[row[0] for row in EDITED])
def test_an_edited_turn_keeps_its_parts_and_each_call_its_own(
    name: str, parts: tuple[Part, ...], signatures: list[str | None]
) -> None:
    back = restored(kept(*PARTS), *parts)
    assert [type(part) for part in back] == [type(part) for part in parts]
    found_signatures = [getattr(part, "signature", None) for part in back]
    assert [one.data if one else None for one in found_signatures] == signatures


def test_a_turn_nobody_kept_is_left_alone() -> None:
    asked = request(Text("one two"), sent("call_A1"))
    assert restore(asked, {}) is asked
    assert restore(asked, kept(ToolCall("call_Z9", "f", "{}", signature=A))) == asked


def test_a_text_without_anything_hidden_is_not_kept() -> None:
    assert kept(Text("hello")) == {}
    assert len(kept(Text("hello", A))) == 1
    assert kept(Text("", A)) == {}, "a text nobody can recognise"


def test_keys_are_the_calls_else_the_text() -> None:
    assert keys_of_message(PARTS[2:3]) == keys_of_message([Text("t"), Text("wo")])
    assert keys_of_message([sent("call_A-1"), sent("b")]) == ["call:callA1", "call:b"]
    assert keys_of_message([ToolCall("x", "f", "{}", minted=True), Text("two")]) == keys_of_message(PARTS[2:3])
    assert keys_of_message([]) == []
    assert keys_of_message([Text("a")]) != keys_of_message([Text("b")])


@pytest.mark.parametrize(
    ("answer", "back", "plain"),
    [
        (PARTS[3:4], (sent("call_A1"),), True),
        (PARTS[3:], (sent("call_A1"), sent("call_B2")), True),
        ((Text("two", A),), (Text("two"),), False),
        ((PARTS[1], PARTS[3]), (sent("call_A1"),), False),
        (PARTS[3:4], (Text("two"),), True),
    ],
    ids=["a call", "calls", "a text", "a hidden part before a call", "nothing of it"],
)
def test_plain_messages_stay_so_where_only_signatures_come_back(
    answer: tuple[Part, ...], back: tuple[Part, ...], plain: bool
) -> None:
    asked = msgspec.structs.replace(request(*back), messages=PlainMessages(request(*back).messages))
    assert (type(restore(asked, kept(*answer)).messages) is PlainMessages) is plain
