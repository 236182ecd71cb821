import os
import uuid

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

key = str(uuid.uuid4())
for attempt in (1, 2):
    answer = client.chat.completions.with_raw_response.create(
        model="gemini-3.8-flash",
        messages=[{"role": "user", "content": "Hello"}],
        extra_headers={"Idempotency-Key": key},
    )
    print(attempt, answer.request_id, "repeats", answer.headers.get("x-portico-replayed"))
