import os

from google import genai
from google.genai import types

client = genai.Client(
    api_key=os.environ["PORTICO_API_KEY"],
    http_options=types.HttpOptions(base_url="http://localhost:8080"),
)

answer = client.models.generate_content(
    model="claude-sonnet-5-5",
    contents="How many primes are below 30?",
    config=types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(thinking_level="high", include_thoughts=True),
    ),
)
for part in answer.candidates[0].content.parts:
    print("thoughts:" if part.thought else "answer:", part.text)
