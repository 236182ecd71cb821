import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

stream = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "Tell me a long story."}],
    stream=True,
)
length = 0
with stream:  # leaving the block closes the connection, and the provider's call with it
    for chunk in stream:
        if chunk.choices:
            length += len(chunk.choices[0].delta.content or "")
        if length > 20:
            break
print("stopped after", length, "characters")
