"""The group committer, on both databases."""

from portico.store.database import open_database
from store.writes import Add, total


async def test_a_result_is_there_once_it_is_durable(url: str) -> None:
    database = open_database(url)
    committer = database.committer("w1")
    assert await committer.submit(Add("a", 3)) == 3
    assert await committer.submit(Add("a", 4)) == 7
    assert await database.reading.read(total("a")) == 7
    await committer.aclose()
    await database.aclose()
