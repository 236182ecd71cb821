import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.with_raw_response.create(
    model="claude-sonnet-5-5",
    messages=[{"role": "user", "content": "Hello"}],
    extra_headers={"x-portico-cost": "1"},
)
print(answer.parse().choices[0].message.content)
print("cost in dollars:", answer.headers["x-portico-cost"])
