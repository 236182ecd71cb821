import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

answer = client.messages.create(
    model="gemini-3.8-flash",
    max_tokens=4096,
    messages=[{"role": "user", "content": "Hello"}],
)
print("".join(block.text for block in answer.content if block.type == "text"))
