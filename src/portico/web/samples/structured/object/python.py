import json
import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": 'Ada is 36. Answer in JSON with the keys "name" and "age".'}],
    response_format={"type": "json_object"},
)
print(json.loads(answer.choices[0].message.content))
