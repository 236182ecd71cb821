"""Pictures through OpenAI's npm package, in front of a gateway: a script does what people do, and is judged here."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from gateway.house import KEY, house_in_a_thread
from portico.providers import KINDS
from sdk import files, nodejs

pytestmark = pytest.mark.skipif(nodejs.NODE is None or nodejs.NPM is None, reason="there is no Node.js here")


@pytest.fixture(scope="module", params=["gemini-3-pro-image", "gpt-image-2"])
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the script reported of one model."""
    with house_in_a_thread(kinds=[KINDS["gemini"], KINDS["openai"]]) as house:
        base = f"http://127.0.0.1:{house.port}"
        given = base64.b64encode(files.png()).decode()
        return nodejs.run("openai_images", {"BASE_URL": base, "MODEL": request.param, "KEY": KEY, "PNG": given})


def opened(b64: str) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(b64, validate=True)))
    image.load()
    return f"{image.width}x{image.height}"


@pytest.mark.parametrize(("step", "count"), [("made", 2), ("edited", 1)])
def test_pictures_come_whole(told: dict[str, Any], step: str, count: int) -> None:
    made = told[step]
    assert "failed" not in made, made
    assert [opened(one) for one in made["pictures"]] == [made["size"]] * count
    assert made["tokens"] > 0


@pytest.mark.parametrize(
    ("step", "kind"),
    [("made_in_a_stream", "image_generation.completed"), ("edited_in_a_stream", "image_edit.completed")],
)
def test_pictures_come_in_a_stream(told: dict[str, Any], step: str, kind: str) -> None:
    made = told[step]
    assert "failed" not in made, made
    assert [event["type"] for event in made["events"]] == [kind]
    assert opened(made["events"][0]["picture"])


def test_a_blocked_picture_is_a_bad_request(told: dict[str, Any]) -> None:
    assert (told["blocked"]["kind"], told["blocked"]["status"]) == ("bad", 400)
