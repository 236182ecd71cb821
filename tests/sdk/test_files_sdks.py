"""Files as a developer would paste them: OpenAI's SDK and Google's, on a running gateway that knows whose they are."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from google import genai
from google.genai import errors, types
from openai import AsyncOpenAI, OpenAI

import databases
from gateway.house import KEY, OTHER_KEY, House, house_in_a_thread
from money.paid import Counter
from portico.providers import KINDS
from portico.simulator import Simulator
from portico.vault import Resources
from sdk import files


@pytest.fixture(scope="module")
def filing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = tmp_path_factory.mktemp("filing") / "books.db"
    databases.sqlite_books(path)
    counter = Counter(path)
    resources = Resources(counter, counter, now=time.time)
    kinds = [KINDS["openai"], KINDS["gemini"]]
    with house_in_a_thread(Simulator(now=time.time), resources=resources, kinds=kinds) as house:
        yield house
    counter.shut()


@pytest.fixture
def client(filing: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=filing.url, max_retries=0) as client:
        yield client


@pytest.fixture(params=["v1", "v1beta"])
def googles(filing: House, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    with connect(filing, KEY, request.param) as client:
        yield client


def connect(house: House, key: str, version: str = "v1beta") -> genai.Client:
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{house.port}", api_version=version)
    return genai.Client(api_key=key, http_options=options)


def test_openai_s_files(client: OpenAI, filing: House) -> None:
    made = client.files.create(file=("lines.jsonl", b'{"a":1}\n'), purpose="batch")
    assert (made.filename, made.bytes, made.purpose, made.status) == ("lines.jsonl", 8, "batch", "processed")
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).read() == b'{"a":1}\n'
    assert made.id in [one.id for one in client.files.list(limit=1)]
    with OpenAI(api_key=OTHER_KEY, base_url=filing.url, max_retries=0) as other:
        assert list(other.files.list()) == []
        with pytest.raises(openai.NotFoundError):
            other.files.retrieve(made.id)
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(made.id)


def test_a_file_is_read_by_a_response(client: OpenAI) -> None:
    made = client.files.create(file=("report.pdf", files.pdf()), purpose="user_data")
    answer = client.responses.create(
        model="gpt-5.5",
        input=[
            {
                "role": "user",
                "content": [{"type": "input_file", "file_id": made.id}, {"type": "input_text", "text": "What is it?"}],
            }
        ],
    )
    assert answer.output_text


async def test_openai_s_files_async(filing: House) -> None:
    async with AsyncOpenAI(api_key=KEY, base_url=filing.url, max_retries=0) as client:
        made = await client.files.create(file=b"Hello", purpose="user_data")
        assert (await client.files.delete(made.id)).deleted


def test_openai_s_client_brings_a_file_to_google(client: OpenAI) -> None:
    at_google = client.with_options(default_headers={"x-portico-providers": "gemini"})
    made = at_google.files.create(file=("cat.png", files.png()), purpose="vision")
    assert made.id.startswith("files/")
    assert client.files.retrieve(made.id).filename == "cat.png"
    answer = client.chat.completions.create(
        model="gemini-3.5-flash",
        messages=[
            {
                "role": "user",
                "content": [{"type": "file", "file": {"file_id": made.id}}, {"type": "text", "text": "What is it?"}],
            }
        ],
    )
    assert answer.choices[0].message.content
    assert client.files.delete(made.id).deleted


def test_googles_files(googles: genai.Client, filing: House, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(files.png())
    made = googles.files.upload(file=picture, config={"display_name": "A cat"})
    assert (made.display_name, made.mime_type, made.state) == ("A cat", "image/png", types.FileState.ACTIVE)
    assert made.name is not None
    assert googles.files.get(name=made.name).uri == made.uri
    assert made.name in [one.name for one in googles.files.list()]
    contents: Any = ["What is it?", made]
    answer = googles.models.generate_content(model="gemini-3.5-flash", contents=contents)
    assert answer.text
    with connect(filing, OTHER_KEY) as other:
        assert list(other.files.list()) == []
        with pytest.raises(errors.ClientError) as caught:
            other.models.generate_content(model="gemini-3.5-flash", contents=contents)
        assert caught.value.code == 404
    googles.files.delete(name=made.name)
    with pytest.raises(errors.ClientError):
        googles.files.get(name=made.name)


def test_a_large_file_comes_in_several_pieces(googles: genai.Client) -> None:
    data = bytes(range(256)) * 4096 * 20  # 20 MiB: three of the pieces that the SDK makes
    made = googles.files.upload(file=io.BytesIO(data), config={"mime_type": "application/octet-stream"})
    assert made.size_bytes == len(data)
    assert made.name is not None
    googles.files.delete(name=made.name)


async def test_googles_files_async(filing: House) -> None:
    async with connect(filing, KEY).aio as client:
        made = await client.files.upload(file=io.BytesIO(b"Hello"), config={"mime_type": "text/plain"})
        assert made.name is not None
        await client.files.delete(name=made.name)
