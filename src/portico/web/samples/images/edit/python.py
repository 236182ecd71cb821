import base64
import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

# A picture to begin with.
made = client.images.generate(model="gemini-3-pro-image", prompt="A fox in the snow")
Path("fox.png").write_bytes(base64.b64decode(made.data[0].b64_json))

with open("fox.png", "rb") as fox:
    edited = client.images.edit(model="gemini-3-pro-image", image=fox, prompt="Give it a red hat")
Path("fox-with-hat.png").write_bytes(base64.b64decode(edited.data[0].b64_json))
print(edited.usage.total_tokens)
