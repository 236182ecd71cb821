"""A name in the list of the longest tests that is no file any more would slow a run down, and nobody would see why."""

import longest


def test_every_file_that_is_begun_first_is_there() -> None:
    assert [name for name in longest.LONGEST if not (longest.TESTS / name).exists()] == []
