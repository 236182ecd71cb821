import base64
import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

stream = client.images.generate(model="gemini-3-pro-image", prompt="A fox in the snow", n=2, stream=True)
number = 0
for event in stream:
    if event.type == "image_generation.completed":
        number += 1
        Path(f"fox-{number}.png").write_bytes(base64.b64decode(event.b64_json))
        print(number, event.size)
