import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

answer = client.messages.create(
    model="gemini-2.5-flash",
    max_tokens=16000,
    thinking={"type": "enabled", "budget_tokens": 8000},
    messages=[{"role": "user", "content": "How many primes are below 30?"}],
)
for block in answer.content:
    print(block.type, block.thinking if block.type == "thinking" else block.text)
