import base64
import os

from google import genai
from google.genai import types

client = genai.Client(
    api_key=os.environ["PORTICO_API_KEY"], http_options=types.HttpOptions(base_url="http://localhost:8080")
)

square = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC"
)
answer = client.models.generate_content(
    model="gemini-3.8-flash",
    contents=[types.Part.from_bytes(data=square, mime_type="image/png"), "What colour is this square?"],
)
print(answer.text)
