import os
import time

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.with_raw_response.create(
    model="claude-sonnet-5-5",
    messages=[{"role": "user", "content": "Hello"}],
)
time.sleep(1)  # the receipt is written when the call is settled, a moment after its answer

receipt = client.get(f"/receipts/{answer.request_id}", cast_to=object)
for line in receipt["lines"]:
    print(line["count"], line["item"], "at", line["rate_nanos"] / 1e9, "dollars per million")
print("charged:", receipt["charge_nanos"], "nano-dollars")
