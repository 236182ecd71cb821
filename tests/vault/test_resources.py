"""Who owns what was made at a provider: nobody else can use it, list it, delete it, or take its name."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import databases
from portico.core.errors import Conflict, StorageUnavailable
from portico.core.masking import fingerprint
from portico.vault import Resource, Resources
from portico.vault.resources import CACHE, FILE, GRACE_S, REMEMBERED_S
from vault.workers import Silent, Workers

THING = (FILE, "files/1")
SECOND_US = 1_000_000


def made(account: str, name: str = "files/1", **more: object) -> Resource:
    fields: dict[str, object] = {"provider": "gemini", "kind": FILE, "credential": fingerprint("sample"), **more}
    return Resource(name=name, account=account, **fields)  # type: ignore[arg-type]


async def owners(resources: Resources, *accounts: str, thing: tuple[str, str] = THING) -> list[str]:
    return [account for account in accounts if thing in await resources.owned(account, [thing])]


async def test_a_thing_is_its_owners_and_nobody_elses_at_every_worker(workers: Workers) -> None:
    one, other = workers.resources(), workers.resources()
    await one.record(made("a"))
    for resources in (one, other, one, other):  # the second time as remembered
        assert await owners(resources, "a", "b", "") == ["a"]
    (owned,) = (await other.owned("a", [THING, ("file", "files/2")]))[THING]
    assert (owned.provider, owned.credential, owned.account) == ("gemini", fingerprint("sample"), "a")
    assert owned.created_us > 0


async def test_a_name_means_something_for_one_kind_and_each_provider_has_its_own(workers: Workers) -> None:
    resources = workers.resources()
    await resources.record(made("a", "files/1"))
    await resources.record(made("a", "files/1", provider="second", credential="c2"))
    await resources.record(made("b", "files/1", provider="third"))
    assert await owners(resources, "a", thing=(CACHE, "files/1")) == []
    assert [one.provider for one in (await resources.owned("a", [THING]))[THING]] == ["gemini", "second"]


async def test_who_owns_it_is_told_to_the_gateway_itself(workers: Workers) -> None:
    resources = workers.resources()
    await resources.record(made("a"))
    owner = await resources.owner("gemini", FILE, "files/1")
    assert owner is not None
    assert owner.account == "a"
    assert await resources.owner("gemini", FILE, "files/2") is None
    assert await resources.owner("gemini", CACHE, "files/1") is None


async def test_lists_hold_what_is_the_accounts_own_page_by_page(workers: Workers) -> None:
    resources = workers.resources()
    for number in range(5):
        await resources.record(made("a", f"files/{number}"))
        await resources.record(made("b", f"files/b{number}"))
        await resources.record(made("a", f"cachedContents/{number}", kind=CACHE))
    first = await resources.list("a", FILE, limit=3)
    rest = await resources.list("a", FILE, limit=3, after=(first[-1].name, first[-1].provider))
    assert [one.name for one in [*first, *rest]] == [f"files/{number}" for number in range(5)]
    assert await resources.list("c", FILE, limit=3) == []


async def test_only_its_owner_deletes_it_and_then_it_is_gone(workers: Workers) -> None:
    one, other = workers.resources(), workers.resources()
    await one.record(made("a"))
    assert not await one.delete("b", "gemini", FILE, "files/1")
    assert not await one.delete("a", "second", FILE, "files/1")
    assert await owners(one, "a") == ["a"]
    assert await one.delete("a", "gemini", FILE, "files/1")
    assert not await one.delete("a", "gemini", FILE, "files/1")
    assert await owners(one, "a") == []
    assert await owners(other, "a") == []
    assert await one.list("a", FILE, limit=9) == []
    assert await one.owner("gemini", FILE, "files/1") is None


async def test_nobody_takes_the_name_of_what_is_anothers(workers: Workers) -> None:
    resources = workers.resources()
    await resources.record(made("a"))
    with pytest.raises(Conflict):
        await resources.record(made("b"))
    assert await owners(resources, "a", "b") == ["a"]


async def test_a_name_that_is_given_up_is_its_last_owners_while_a_worker_may_remember_it(workers: Workers) -> None:
    """Else a worker that remembers the old owner would let it use what the new one has made."""
    resources = workers.resources()
    await resources.record(made("a"))
    await resources.delete("a", "gemini", FILE, "files/1")
    with pytest.raises(Conflict):
        await resources.record(made("b"))
    await resources.record(made("a"))
    assert await owners(resources, "a") == ["a"]
    await resources.delete("a", "gemini", FILE, "files/1")
    await workers.change("UPDATE resources SET expires_us = expires_us - ?", int(GRACE_S * SECOND_US))
    await resources.record(made("b"))
    assert await owners(resources, "a", "b") == ["b"]
    assert GRACE_S > REMEMBERED_S


async def test_what_ends_by_itself_is_gone_then_also_where_it_is_remembered(workers: Workers) -> None:
    now = time.time()
    resources = workers.resources(lambda: now)
    await resources.record(made("a", expires_us=int((now + 5) * SECOND_US)))
    assert await owners(resources, "a") == ["a"]
    now += 6
    assert await owners(resources, "a") == []
    await resources.record(made("a", "files/2", expires_us=int((time.time() - 1) * SECOND_US)))
    assert await owners(resources, "a", thing=(FILE, "files/2")) == []


async def test_the_owner_may_change_when_it_ends(workers: Workers) -> None:
    resources = workers.resources()
    await resources.record(made("a", expires_us=int((time.time() - 1) * SECOND_US)))
    assert await owners(resources, "a") == []
    await resources.record(made("a", expires_us=int((time.time() + 60) * SECOND_US)))
    assert await owners(resources, "a") == ["a"]


async def test_another_worker_forgets_after_a_while(workers: Workers) -> None:
    now = 1000.0
    one, other = workers.resources(), workers.resources(lambda: now)
    await one.record(made("a"))
    assert await owners(other, "a") == ["a"]
    await one.delete("a", "gemini", FILE, "files/1")
    now += REMEMBERED_S
    assert await owners(other, "a") == []


@pytest.mark.parametrize("name", ["\0", "files/1\0", "files/1\0b"])
async def test_nothing_has_a_name_with_a_nul(workers: Workers, name: str) -> None:
    resources = workers.resources()
    await resources.record(made("a", "files/1"))
    await resources.record(made("a", "files/12"))
    assert await owners(resources, "a", thing=(FILE, name)) == []
    assert await resources.owner("gemini", FILE, name) is None
    assert not await resources.delete("a", "gemini", FILE, name)
    behind = await resources.list("a", FILE, limit=9, after=(name, ""))
    assert [one.name for one in behind] == [one for one in ("files/1", "files/12") if one > name]


async def test_a_miss_is_not_remembered(workers: Workers) -> None:
    one, other = workers.resources(), workers.resources()
    assert await owners(other, "a") == []
    await one.record(made("a"))
    assert await owners(other, "a") == ["a"]


async def test_more_things_than_a_statement_takes_values_are_asked_for(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portico.vault.resources.PATIENCE_S", 40.0)  # a busy machine takes its time
    resources = workers.resources()
    last = (FILE, "files/149999")
    await resources.record(made("a", "files/1"))
    await resources.record(made("a", last[1]))
    found = await resources.owned("a", [(FILE, f"files/{number}") for number in range(150_000)])
    assert found.keys() == {(FILE, "files/1"), last}


async def test_what_is_long_gone_is_swept(workers: Workers) -> None:
    resources = workers.resources()
    for number in range(7):
        await resources.record(made("a", f"files/{number}"))
        await resources.delete("a", "gemini", FILE, f"files/{number}")
    await resources.record(made("a", "files/kept"))
    assert await resources.sweep(limit=2) == 0, "their names are not free yet"
    await workers.change("UPDATE resources SET expires_us = expires_us - ?", int((GRACE_S + 1) * SECOND_US))
    assert await resources.sweep(limit=2) == 7
    assert [one.name for one in await resources.list("a", FILE, limit=9)] == ["files/kept"]


async def test_a_database_that_does_not_answer_is_not_waited_for_for_ever(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portico.vault.resources.PATIENCE_S", 0.01)
    with pytest.raises(StorageUnavailable):
        await Resources(workers.storage()[0], Silent(), now=time.time).owned("a", [THING])


def test_a_fingerprint_tells_credentials_apart_and_not_what_they_are() -> None:
    assert fingerprint("sample-1") == fingerprint("sample-1")
    assert fingerprint("sample-1") != fingerprint("sample-2")
    assert "sample" not in fingerprint("sample-1")


# -- any order of events -----------------------------------------------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["record", "delete", "look"]), st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 1)
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(EVENTS)
def test_a_name_has_never_been_two_accounts_at_the_same_time(events: Sequence[tuple[str, str, str, int]]) -> None:
    asyncio.run(_whatever_happens(events))


async def _whatever_happens(events: Sequence[tuple[str, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Workers(databases.sqlite_books(Path(folder, "books.db"))) as workers:
            both = [workers.resources(), workers.resources()]
            first: dict[str, str] = {}
            for what, account, number, worker in events:
                name, resources = f"files/{number}", both[worker]
                if what == "record":
                    try:
                        await resources.record(made(account, name))
                        assert first.setdefault(name, account) == account
                    except Conflict:
                        assert first[name] != account
                elif what == "delete":
                    owned = await resources.delete(account, "gemini", FILE, name)
                    assert not owned or first[name] == account
                else:
                    found = await owners(resources, "a", "b", thing=(FILE, name))
                    assert found in ([], [first.get(name)])
