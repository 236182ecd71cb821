import os

from openai import APIError, OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

text, finish = "", None
try:
    stream = client.chat.completions.create(
        model="gemini-3.8-flash",
        messages=[{"role": "user", "content": "Tell me a story."}],
        stream=True,
    )
    for chunk in stream:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
except APIError as error:  # before the stream, or in the middle of it
    print("broken:", error.code, error.message)
print(finish or "unfinished", len(text))
