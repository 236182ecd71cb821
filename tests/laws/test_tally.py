"""What the laws judged, in sum."""

import pytest

from laws.judge import JUDGED, MAX_SKIPPED_SHARE, SKIPPED


@pytest.mark.of_the_whole_run
def test_hardly_anything_that_was_on_the_wire_is_skipped() -> None:
    if not JUDGED:
        pytest.skip("no law ran")
    for law in JUDGED.keys() | {name for name, _ in SKIPPED}:
        judged = JUDGED[law]
        skipped = sum(count for (name, _), count in SKIPPED.items() if name == law)
        assert skipped <= MAX_SKIPPED_SHARE * (judged + skipped), f"{law}: {skipped} of {judged + skipped} skipped"
