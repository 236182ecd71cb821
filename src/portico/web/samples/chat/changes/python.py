import json
import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

raw = client.chat.completions.with_raw_response.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "Hello"}],
    temperature=0.2,
    logit_bias={"50256": -100},
)
for change in json.loads(raw.headers.get("x-portico-changes", "[]")):
    print(change["code"], change["path"], change["message"])
print(raw.headers["x-portico-request-id"])
