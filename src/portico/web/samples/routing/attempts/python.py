import json
import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])
answer = client.chat.completions.with_raw_response.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "Who answers Python? [[sim:once:503]]"}],
)
for tried in json.loads(answer.headers.get("x-portico-attempts", "[]")):
    print(tried["provider"], tried["model"], tried["outcome"])
print(answer.parse().choices[0].message.content)
