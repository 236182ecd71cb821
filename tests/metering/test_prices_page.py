"""docs/prices.md publishes the rules: its numbers are those of the code."""

from pathlib import Path

import pytest

from portico.metering import ceiling, estimate

PAGE = (Path(__file__).parents[2] / "docs" / "prices.md").read_text("utf-8")
TOOLS = {name: rule.prompt + rule.brings for name, rule in ceiling.TOOLS.items()}
OTHER = ceiling.OTHER_TOOL.prompt + ceiling.OTHER_TOOL.brings
CELLS = [
    *(f"| {media.each:,}, and one for every {media.bytes_a_token} bytes" for media in ceiling.MEDIA.values()),
    f"{ceiling.MEDIA['image'].most:,} at most |",
    f"| a file by its address | {ceiling.FILE_TOKENS:,} |",
    f"| web search, Maps | {TOOLS['web_search']:,} (Maps: {TOOLS['google_maps']:,}), and four queries (Maps: two)",
    f"| {TOOLS['code_execution']:,}; {TOOLS['file_search']:,}; {OTHER:,} |",
    f"| pictures of an answer | {ceiling.PICTURE_TOKENS:,} of the output",
    f"| a picture | {estimate.PICTURE_TOKENS:,} |",
]


@pytest.mark.parametrize("cell", CELLS)
def test_the_page_says_what_the_code_does(cell: str) -> None:
    assert cell in PAGE


def test_the_page_says_the_rest_in_words() -> None:
    assert ceiling.BYTES_A_TOKEN == 2
    assert "half a token for each byte" in PAGE
    assert estimate.BYTES_A_TOKEN == 4
    assert "one for four bytes" in PAGE
    assert TOOLS["url_context"] == OTHER
    assert (ceiling.TOOLS["web_search"].uses, ceiling.TOOLS["google_maps"].uses) == (4, 2)
