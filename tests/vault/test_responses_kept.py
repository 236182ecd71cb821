"""Answers that callers go on from: chains, whose they are, how long they live (docs/decisions/0022)."""

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from gateway.house import PATIENCE_S
from portico.core.dialect import KeptTurn
from portico.core.errors import StorageUnavailable
from portico.core.storage import Committer
from portico.vault.responses import ChainTooLong, ResponseSettings, StoredResponses
from vault.workers import Gate, Workers

DAY_S = 86_400.0


def turn(id_: str, previous: str | None = None, *, native: bool = True, size: int = 10) -> KeptTurn:
    return KeptTurn(id_, previous, f'["asked {id_}"]'.encode(), b'{"said":"' + b"x" * size + b'"}', native)


async def keep(stored: StoredResponses, one: KeptTurn, *, account: str = "alice", before: Sequence[str] = ()) -> None:
    settling = stored.keep(account, one, [f"msg_{one.id}"], before)
    if settling is not None:
        await settling


async def talk(stored: StoredResponses, *ids: str, account: str = "alice") -> None:
    """A conversation of some turns."""
    for number, id_ in enumerate(ids):
        previous = ids[number - 1] if number else None
        await keep(stored, turn(id_, previous), account=account, before=ids[:number])


async def test_a_chain_is_found_by_every_worker_oldest_first(workers: Workers) -> None:
    await talk(workers.responses(), "a", "b", "c")
    chain = await workers.responses().chain("alice", "c")
    assert chain == [turn("a"), turn("b", "a"), turn("c", "b")]


async def test_one_may_go_on_from_any_answer_more_than_once(workers: Workers) -> None:
    stored = workers.responses()
    await talk(stored, "a", "b")
    await keep(stored, turn("other", "a"), before=["a"])
    assert [one.id for one in await stored.chain("alice", "other")] == ["a", "other"]
    assert [one.id for one in await stored.chain("alice", "b")] == ["a", "b"]


async def test_what_is_anothers_is_not_there(workers: Workers) -> None:
    stored = workers.responses()
    await talk(stored, "a", "b")
    assert await stored.chain("bob", "b") == []
    assert await stored.find("bob", "a") is None
    assert await stored.saying("bob", ["msg_a"]) == {}
    assert not await stored.delete("bob", "a")
    assert await stored.find("alice", "a") == turn("a")


async def test_two_accounts_may_have_answers_of_one_id(workers: Workers) -> None:
    stored = workers.responses()
    await keep(stored, turn("a"))
    await keep(stored, turn("a", size=77), account="bob")
    assert await stored.chain("bob", "a") == [turn("a", size=77)]
    assert await stored.chain("alice", "a") == [turn("a")]


async def test_an_id_that_is_there_stays_what_it_was(workers: Workers) -> None:
    """Some servers give all their answers one id; a chain must not lead into itself."""
    stored = workers.responses()
    await keep(stored, turn("a"))
    await keep(stored, turn("a", "a", size=99), before=["a"])
    assert await stored.chain("alice", "a") == [turn("a")]


async def test_an_item_leads_to_the_turn_that_says_it(workers: Workers) -> None:
    await talk(workers.responses(), "a", "b")
    found = await workers.responses().saying("alice", ["msg_b", "msg_a", "msg_c", "msg_b"])
    assert found == {"msg_a": turn("a"), "msg_b": turn("b", "a")}


async def test_what_is_deleted_is_gone_and_nothing_goes_on_from_it(workers: Workers) -> None:
    stored = workers.responses()
    await talk(stored, "a", "b", "c")
    assert await stored.delete("alice", "b")
    assert not await stored.delete("alice", "b")
    assert await stored.find("alice", "b") is None
    assert await stored.saying("alice", ["msg_b"]) == {}
    assert await stored.chain("alice", "b") == []
    assert await stored.chain("alice", "c") == [], "half a conversation is none"
    assert await stored.chain("alice", "a") == [turn("a")]
    assert await workers.change("DELETE FROM stored_items WHERE response_id = ?", "b") == 0


async def test_what_is_out_of_time_is_not_found_and_then_swept(workers: Workers) -> None:
    stored = workers.responses()
    await talk(stored, "a", "b")
    await workers.change("UPDATE stored_responses SET expires_us = 1 WHERE id = ?", "b")
    assert await stored.find("alice", "b") is None
    assert await stored.chain("alice", "b") == []
    assert await stored.saying("alice", ["msg_b"]) == {}
    assert await stored.sweep() == 1
    assert await stored.sweep() == 0
    assert await workers.change("DELETE FROM stored_items") == 1


async def test_who_goes_on_keeps_all_before_alive_as_long(workers: Workers) -> None:
    short, long = workers.responses(ResponseSettings(ttl_s=60.0)), workers.responses(ResponseSettings(ttl_s=DAY_S))
    await talk(short, "a", "b", "aside")
    await keep(long, turn("c", "b"), before=["a", "b"])
    assert await workers.change("UPDATE stored_responses SET native = 0 WHERE expires_us > 60000000 + created_us") == 3
    await keep(short, turn("d", "c"), before=["a", "b", "c"])
    assert await workers.change("DELETE FROM stored_responses WHERE expires_us > 60000000 + created_us") == 3


async def test_an_account_that_keeps_too_much_loses_its_oldest(workers: Workers) -> None:
    stored = workers.responses(ResponseSettings(max_account_bytes=500))
    for number in range(4):
        await keep(stored, turn(f"r{number}", size=200))
        await workers.change("UPDATE stored_responses SET expires_us = expires_us - 1000")
    await keep(stored, turn("bobs", size=200), account="bob")
    while await stored.sweep():
        pass
    left = [await stored.find("alice", f"r{number}") is not None for number in range(4)]
    assert left == [False, False, True, True]
    assert await stored.find("bob", "bobs") is not None


async def test_a_conversation_that_is_too_long_is_not_cut_short(workers: Workers) -> None:
    stored = workers.responses(ResponseSettings(max_chain_bytes=100))
    await talk(stored, "a", "b", "c", "d")
    with pytest.raises(ChainTooLong):
        await stored.chain("alice", "d")


async def test_a_long_chain_is_found_whole(workers: Workers) -> None:
    stored = workers.responses()
    ids = [f"r{number}" for number in range(600)]
    writes = [stored.keep("alice", turn(one, ids[n - 1] if n else None), [], ids[:n]) for n, one in enumerate(ids)]
    for settling in writes:
        if settling is not None:
            await settling
    other = workers.responses()
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await other.chain("alice", ids[-1])):  # noqa: ASYNC110 - what is late for its caller is still written
            await asyncio.sleep(0.01)
    assert [one.id for one in found] == ids


async def test_what_is_on_its_way_is_found_by_its_own_worker(workers: Workers) -> None:
    gates: list[Gate] = []

    def through(committer: Committer) -> Committer:
        gates.append(Gate(committer))
        return gates[-1]

    await talk(workers.responses(), "a")
    stored = workers.responses(ResponseSettings(wait_s=0.01), through=through)
    await keep(stored, turn("b", "a"), before=["a"])
    await keep(stored, turn("c", "b"), before=["a", "b"])
    assert [one.id for one in await stored.chain("alice", "c")] == ["a", "b", "c"]
    assert await stored.find("alice", "c") == turn("c", "b")
    assert await workers.responses().chain("alice", "c") == []
    gates[0].open()
    other = workers.responses()
    async with asyncio.timeout(PATIENCE_S):
        while not await other.chain("alice", "c"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Refusing:
    """A committer that is handed what it cannot write now."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    def submit(self, write: object, *, hurry: bool = True) -> None:  # noqa: ARG002
        raise StorageUnavailable

    def post(self, write: object) -> None:
        self._committer.post(write)  # type: ignore[arg-type]


async def test_what_cannot_be_written_now_is_written_later(workers: Workers) -> None:
    stored = workers.responses(through=Refusing)  # type: ignore[arg-type]
    assert stored.keep("alice", turn("a"), [], []) is None
    other = workers.responses()
    async with asyncio.timeout(PATIENCE_S):
        while await other.find("alice", "a") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with contextlib.suppress(StorageUnavailable):
        assert await stored.find("alice", "a") == turn("a")
