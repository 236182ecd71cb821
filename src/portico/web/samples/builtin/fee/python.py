import os
import time

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

raw = client.chat.completions.with_raw_response.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "What is the latest news about Python?"}],
    tools=[{"type": "web_search"}],
)
time.sleep(1)  # a receipt is written a moment after its answer
receipt = client.get(f"/receipts/{raw.headers['x-portico-request-id']}", cast_to=object)
for line in receipt["lines"]:
    print(line["item"], line["detail"], line["count"], "x", line["rate_nanos"], "per", line["unit"])
print(receipt["charge_nanos"] / 1e9, "dollars")
