import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

data = "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC"
answer = client.messages.create(
    model="gpt-5.5",
    max_tokens=1024,
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
                {"type": "text", "text": "What colour is this square?"},
            ],
        }
    ],
)
print("".join(block.text for block in answer.content if block.type == "text"))
