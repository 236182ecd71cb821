import os

from openai import OpenAI

client = OpenAI(
    base_url="http://localhost:8080/v1",
    api_key=os.environ["PORTICO_API_KEY"],
)

answer = client.chat.completions.create(
    model="gemini-3.8-flash",  # or gpt-5.5, claude-sonnet-5-5, ...
    messages=[
        {"role": "user", "content": "Say hello in three languages."},
    ],
)
print(answer.choices[0].message.content)
