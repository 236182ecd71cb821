import os

from google import genai
from google.genai import types
from pydantic import BaseModel

client = genai.Client(
    api_key=os.environ["PORTICO_API_KEY"],
    http_options=types.HttpOptions(base_url="http://localhost:8080"),
)


class Person(BaseModel):
    name: str
    age: int


answer = client.models.generate_content(
    model="claude-sonnet-5-5",
    contents="Ada is 36 years old and lives in London.",
    config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=Person),
)
print(answer.parsed)
