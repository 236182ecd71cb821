"""The vault in the database: every worker sees it at once, it survives a restart, and it never crosses tenants."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import databases
from gateway.house import PATIENCE_S
from portico.core.errors import StorageUnavailable
from portico.core.parts import Signature, Text, ToolCall
from portico.core.request import Message, Request, Role
from portico.core.response import Candidate, Response
from portico.vault import (
    CallKept,
    MemoryVault,
    StoredVault,
    TurnRecord,
    TurnRecorder,
    VaultSettings,
    keys_of_request,
    restore,
    rows,
)
from vault.test_codec import RECORDS, as_elsewhere
from vault.workers import SIGNER, Gate, Refusing, Silent, Workers, found, keep, record

LONG = 5_000
"""So long that a record is written once, whatever leads to it."""


async def test_what_one_worker_kept_another_finds_before_the_answer_ends(workers: Workers) -> None:
    one, other = workers.vault(), workers.vault()
    for number in range(20):
        await keep(one, "a", [f"call:{number}"], record(f"c{number}"))
        assert await found(other, "a", f"call:{number}") == {f"call:{number}": record(f"c{number}")}


async def test_it_survives_a_restart(url: str) -> None:
    async with Workers(url) as before:
        await keep(before.vault(), "a", ["call:1", "call:2"], record())
    async with Workers(url) as after:
        assert await found(after.vault(), "a", "call:1", "call:2", "call:3") == {
            "call:1": record(),
            "call:2": record(),
        }


async def test_what_is_not_there_is_asked_for_again(workers: Workers) -> None:
    """Another worker may keep it at any time, so that a miss is never remembered."""
    one, other = workers.vault(), workers.vault()
    assert await found(other, "a", "call:1") == {}
    await keep(one, "a", ["call:1"], record())
    assert await found(other, "a", "call:1") == {"call:1": record()}


@pytest.mark.parametrize("size", [10, LONG, 3 * rows.SMALL_BYTES])
async def test_no_tenant_finds_what_is_anothers(workers: Workers, size: int) -> None:
    one, other = workers.vault(), workers.vault()
    await keep(one, "a", ["call:1", "call:2"], record("of_a", size=size))
    await keep(one, "b", ["call:2", "call:3"], record("of_b", size=size))
    for vault in (one, other):
        for _ in range(2):  # the second time from memory
            assert await found(vault, "b", "call:1", "call:2", "call:3") == {
                "call:2": record("of_b", size=size),
                "call:3": record("of_b", size=size),
            }
            assert await found(vault, "a", "call:3") == {}
            assert await found(vault, "", "call:1", "call:2", "call:3") == {}
            assert await found(vault, "a' OR '1'='1", "call:1") == {}


async def test_a_row_that_leads_to_another_key_leads_to_no_other_tenants(workers: Workers) -> None:
    vault = workers.vault()
    await keep(vault, "a", ["media:1", "text:1"], record(size=LONG))
    await keep(vault, "b", ["media:1"], record("of_b", size=LONG))
    assert await workers.change("DELETE FROM vault_records WHERE account_id = ? AND key = ?", "a", "media:1") == 1
    assert await found(workers.vault(), "a", "text:1", "media:1") == {}


async def test_a_long_record_is_written_once_and_found_by_each_of_its_keys(workers: Workers) -> None:
    vault = workers.vault()
    await keep(vault, "a", ["media:1", "media:2", "text:1"], record(size=LONG))
    (size,) = await sizes(workers)
    assert LONG < size < LONG + 500
    for key in ("text:1", "media:2", "media:1"):
        assert await found(workers.vault(), "a", key) == {key: record(size=LONG)}
    everything = await found(workers.vault(), "a", "text:1", "media:2", "media:1")
    assert everything == dict.fromkeys(["text:1", "media:2", "media:1"], record(size=LONG))


async def sizes(workers: Workers) -> list[int]:
    """Of the long rows."""
    _, reading = workers.storage()
    rows_ = await reading.read(lambda db: db.rows("SELECT size_bytes FROM vault_records WHERE size_bytes > ?", 200))
    return [size for (size,) in rows_]


async def test_records_of_one_answer_go_in_one_write(workers: Workers) -> None:
    committer, reading = workers.storage()
    gate = Gate(committer)
    vault = workers.vault(through=lambda _: gate)
    settling = vault.keep_all(
        "a", [(["call:1"], record("one")), (["call:2"], record("two")), (["call:1"], record("3"))]
    )
    assert len(gate.held) == 1
    gate.open()
    assert settling is not None
    await settling
    assert await reading.read(rows.find("a", ["call:1", "call:2"], max_bytes=0))
    assert await found(workers.vault(), "a", "call:1", "call:2") == {"call:1": record("3"), "call:2": record("two")}


async def test_the_last_write_wins(workers: Workers) -> None:
    one, other = workers.vault(), workers.vault()
    await keep(one, "a", ["call:1"], record("first"))
    await keep(other, "a", ["call:1"], record("last"))
    assert await found(workers.vault(), "a", "call:1") == {"call:1": record("last")}


async def test_an_answer_without_anything_hidden_writes_nothing(workers: Workers) -> None:
    gate = Gate(workers.storage()[0])
    assert workers.vault(through=lambda _: gate).keep_all("a", []) is None
    assert gate.held == []


# -- how much, and for how long ----------------------------------------------------------------------------------------


async def test_what_has_had_its_time_is_not_found_and_is_swept(workers: Workers) -> None:
    vault = workers.vault(VaultSettings(ttl_s=3600, sweep_rows=3))
    for number in range(10):
        await keep(vault, "a", [f"call:{number}"], record())
    await workers.change("UPDATE vault_records SET expires_us = expires_us - 3600000000 WHERE key <> ?", "call:7")
    assert set(await found(workers.vault(), "a", *[f"call:{number}" for number in range(10)])) == {"call:7"}
    assert await vault.sweep() == 9
    assert await workers.keys() == ["call:7"]
    assert await vault.sweep() == 0


async def test_a_record_read_back_lives_in_memory_no_longer_than_in_the_database(workers: Workers) -> None:
    now = 1000.0
    await keep(workers.vault(VaultSettings(ttl_s=50)), "a", ["call:1"], record())
    vault = workers.vault(clock=lambda: now)
    assert await found(vault, "a", "call:1")
    await workers.change("DELETE FROM vault_records WHERE key = ?", "call:1")
    assert await found(vault, "a", "call:1")
    now += 51
    assert await found(vault, "a", "call:1") == {}


async def test_an_account_keeps_so_much_and_no_more_and_its_oldest_goes_first(workers: Workers) -> None:
    vault = workers.vault(VaultSettings(max_account_bytes=10 * LONG, sweep_rows=4))
    for number in range(30):
        await keep(vault, "large", [f"call:{number:02}"], record(size=LONG))
    for number in range(5):
        await keep(vault, "small", [f"call:{number:02}"], record(size=LONG))
    gone = await vault.sweep()
    keys = [f"call:{number:02}" for number in range(30)]
    left = await found(workers.vault(), "large", *keys)
    assert list(left) == keys[gone:]
    assert len(left) == 9
    assert len(await found(workers.vault(), "small", *keys)) == 5


async def test_what_is_kept_again_is_not_taken_out_as_the_oldest(workers: Workers) -> None:
    committer, reading = workers.storage()
    vault = workers.vault()
    await keep(vault, "a", ["call:1"], record())
    looked_at = await reading.read(rows.oldest_of("a", 1, 10))
    await keep(vault, "a", ["call:1"], record("again"))
    assert await committer.submit(rows.DropOldest("a", [(key, at) for key, at, _ in looked_at])) == 0
    assert await found(workers.vault(), "a", "call:1") == {"call:1": record("again")}


async def test_a_record_that_is_too_long_stays_in_memory(workers: Workers) -> None:
    vault = workers.vault(VaultSettings(max_record_bytes=LONG))
    await keep(vault, "a", ["call:1"], record(size=LONG))
    await keep(vault, "a", ["call:2"], record(size=LONG // 2))
    assert set(await found(vault, "a", "call:1", "call:2")) == {"call:1", "call:2"}
    assert set(await found(workers.vault(), "a", "call:1", "call:2")) == {"call:2"}
    assert vault.lost == 1


async def test_what_cannot_be_written_stays_in_memory_and_the_rest_is_kept(workers: Workers) -> None:
    vault = workers.vault()
    settling = vault.keep_all("a", [(["call:1"], record("\ud800")), (["call:2"], record())])
    assert settling is not None
    await settling
    assert set(await found(vault, "a", "call:1", "call:2")) == {"call:1", "call:2"}
    assert set(await found(workers.vault(), "a", "call:1", "call:2")) == {"call:2"}


async def test_of_long_records_as_many_are_read_as_fit_the_latest_first(workers: Workers) -> None:
    size = 2 * rows.SMALL_BYTES
    vault = workers.vault()
    for number in range(6):
        await keep(vault, "a", [f"call:{number}"], record(size=size if number % 2 else 10))
    reader = workers.vault(VaultSettings(max_found_bytes=2 * size + 1000))
    keys = [f"call:{number}" for number in range(6)]
    assert set(await found(reader, "a", *keys)) == {"call:0", "call:2", "call:3", "call:4", "call:5"}


async def test_of_many_keys_the_last_are_looked_for(workers: Workers) -> None:
    await keep(workers.vault(), "a", ["call:1", "call:2", "call:3"], record())
    reader = workers.vault(VaultSettings(max_keys=2))
    assert set(await found(reader, "a", "call:1", "call:2", "call:3", "call:3")) == {"call:2", "call:3"}


@pytest.mark.parametrize("count", [1, 2, 3, 64, 1000])
async def test_any_number_of_keys_is_asked_for_at_once(workers: Workers, count: int) -> None:
    keys = [f"call:{number}" for number in range(count)]
    await keep(workers.vault(), "a", keys, record())
    assert list(await found(workers.vault(), "a", *keys)) == keys


# -- any record, any order ---------------------------------------------------------------------------------------------

KEYS = st.lists(st.sampled_from(["call:1", "call:2", "text:é", "media:4"]), min_size=1, max_size=3)
STEPS = st.lists(st.tuples(st.sampled_from("ab"), KEYS, RECORDS, st.integers(0, 1)), max_size=5)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(STEPS)
def test_any_worker_finds_what_any_kept_last(steps: Sequence[tuple[str, list[str], TurnRecord, int]]) -> None:
    asyncio.run(_kept_and_found(steps))


async def _kept_and_found(steps: Sequence[tuple[str, list[str], TurnRecord, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Workers(databases.sqlite_books(Path(folder, "books.db"))) as workers:
            vaults = [workers.vault(), workers.vault()]
            expected: dict[tuple[str, str], TurnRecord] = {}
            for tenant, keys, one, number in steps:
                await keep(vaults[number], tenant, keys, one)
                expected |= {(tenant, key): as_elsewhere(one) for key in keys}
            fresh = workers.vault()
            for tenant in "abc":
                wanted = {key: one for (whose, key), one in expected.items() if whose == tenant}
                assert await found(fresh, tenant, "call:1", "call:2", "text:é", "media:4") == wanted


# -- what comes back is what was signed --------------------------------------------------------------------------------


def asked(*calls: ToolCall) -> Request:
    return Request("m", (Message(Role.USER, (Text("hi"),)), Message(Role.ASSISTANT, calls)))


async def test_in_another_process_the_digest_decides_whether_a_call_is_what_was_signed(workers: Workers) -> None:
    """The spelling's hash is keyed anew in each process: what stands in the database has none."""
    call = ToolCall("call_1", "read", '{"path": "/a", "n": 1.0}')
    recorder = TurnRecorder(SIGNER)
    signed = ToolCall(call.id, call.name, call.arguments, upstream_id="up1", signature=Signature("google", "QQ=="))
    recorder.feed_response(Response(None, None, (Candidate(0, (signed,), None),)))
    ((keys, kept),) = recorder.records()
    assert isinstance(kept.parts[0], CallKept)
    assert kept.parts[0].spelt != 0
    await keep(workers.vault(), "a", keys, kept)
    there = await found(workers.vault(), "a", *keys_of_request(asked(call)))
    assert [one.spelt for one in there[keys[0]].parts if isinstance(one, CallKept)] == [0]
    for arguments, is_signed in (
        (call.arguments, True),
        ('{"n":1.0,"path":"/a"}', True),
        ('{"n":1.0,"path":"/b"}', False),
    ):
        back = restore(asked(ToolCall("call_1", "read", arguments)), there).messages[1].parts[0]
        assert isinstance(back, ToolCall)
        assert (back.signature is not None) is is_signed
        assert back.upstream_id == "up1"
        assert back.signature is None or back.signature.signer == SIGNER


# -- while the database is away ----------------------------------------------------------------------------------------


async def test_an_answer_is_held_back_until_its_rows_are_durable(workers: Workers) -> None:
    gate = Gate(workers.storage()[0])
    vault = workers.vault(through=lambda _: gate)
    waiting = asyncio.create_task(keep(vault, "a", ["call:1"], record()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert gate.held
    assert not waiting.done()
    assert await found(workers.vault(), "a", "call:1") == {}
    gate.open()
    await waiting
    assert await found(workers.vault(), "a", "call:1") == {"call:1": record()}
    assert vault.unsettled == 0


async def test_an_answer_is_not_held_back_for_ever_and_those_after_it_not_at_all(workers: Workers) -> None:
    now = 0.0
    gate = Gate(workers.storage()[0])
    vault = workers.vault(VaultSettings(wait_s=0.01, rest_s=5), through=lambda _: gate, clock=lambda: now)
    await keep(vault, "a", ["call:1"], record())
    assert vault.unsettled == 1
    assert vault.keep_all("a", [(["call:2"], record())]) is None
    assert vault.unsettled == 2
    assert set(await found(vault, "a", "call:1", "call:2")) == {"call:1", "call:2"}, "memory has it"
    now += 6
    await keep(vault, "a", ["call:3"], record())
    assert vault.unsettled == 3, "it was tried again"
    gate.open()
    await keep_until_there(workers, "call:1", "call:2", "call:3")


async def keep_until_there(workers: Workers, *keys: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await _are_there(workers, keys):  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.02)


async def _are_there(workers: Workers, keys: Sequence[str]) -> bool:
    try:
        return set(keys) <= set(await workers.keys())
    except StorageUnavailable:
        return False


async def test_who_stops_waiting_does_not_take_the_write_back(workers: Workers) -> None:
    gate = Gate(workers.storage()[0])
    waiting = asyncio.create_task(keep(workers.vault(through=lambda _: gate), "a", ["call:1"], record()))
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    gate.open()
    await keep_until_there(workers, "call:1")


async def test_without_a_database_there_is_memory_and_what_was_kept_meanwhile_is_written_later() -> None:
    with databases.server().stoppable() as server:
        async with Workers(databases.postgres_books()) as workers:
            vault = workers.vault(VaultSettings(rest_s=0.05, wait_s=0.05))
            await keep(vault, "a", ["call:1"], record("one"))
            server.stop()
            for number in range(2, 6):
                await keep(vault, "a", [f"call:{number}"], record("more"))
            assert set(await found(vault, "a", "call:1", "call:5", "call:6")) == {"call:1", "call:5"}
            await keep(vault, "b", ["call:1"], record("of_b"))
            assert vault.unsettled > 0
            assert vault.unread > 0
            server.start()
            await keep_until_there(workers, *[f"call:{number}" for number in range(1, 6)])
            assert vault.lost == 0


async def test_a_database_that_does_not_answer_is_waited_for_a_while_and_then_not_asked_for_a_while(
    workers: Workers,
) -> None:
    now, how = 0.0, VaultSettings(wait_s=0.01, rest_s=5)
    memory, committer = MemoryVault(lambda: now), workers.storage()[0]
    vault = StoredVault(memory, committer, Silent(), clock=lambda: now, settings=how)
    await keep(vault, "a", ["call:1"], record())
    for _ in range(3):
        assert set(await found(vault, "a", "call:1", "call:2")) == {"call:1"}
    assert vault.unread == 1
    now += 6
    await found(vault, "a", "call:2")
    assert vault.unread == 2


async def test_what_waits_for_the_database_is_bounded_and_the_oldest_is_lost_first(workers: Workers) -> None:
    refusing = Refusing(workers.storage()[0])
    vault = workers.vault(VaultSettings(max_unwritten_bytes=3 * LONG, rest_s=0.01), through=lambda _: refusing)
    for number in range(8):
        await keep(vault, "a", [f"call:{number}"], record(size=LONG))
    assert vault.lost == 6
    refusing.refuses = False
    await keep_until_there(workers, "call:6", "call:7")
    assert set(await found(workers.vault(), "a", *[f"call:{number}" for number in range(6)])) == set()


async def test_what_still_waits_at_the_end_is_handed_over(workers: Workers) -> None:
    refusing = Refusing(workers.storage()[0])
    vault = workers.vault(VaultSettings(rest_s=60), through=lambda _: refusing)
    await keep(vault, "a", ["call:1"], record())
    await vault.close()
    await keep_until_there(workers, "call:1")
