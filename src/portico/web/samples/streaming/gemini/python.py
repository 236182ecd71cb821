import os

from google import genai
from google.genai import types

client = genai.Client(
    api_key=os.environ["PORTICO_API_KEY"],
    http_options=types.HttpOptions(base_url="http://localhost:8080"),
)

for chunk in client.models.generate_content_stream(model="claude-sonnet-5-5", contents="Count to three."):
    print(chunk.text or "", end="", flush=True)
print()
