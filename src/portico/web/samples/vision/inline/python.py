import base64
import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

picture = Path("square.png")
picture.write_bytes(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC"
    )
)

data = base64.b64encode(picture.read_bytes()).decode()
answer = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What colour is this square?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
            ],
        }
    ],
)
print(answer.choices[0].message.content)
