import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

message = client.messages.create(
    model="claude-sonnet-5-5",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print("".join(block.text for block in message.content if block.type == "text"))
