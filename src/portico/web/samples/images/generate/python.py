import base64
import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

made = client.images.generate(model="gemini-3-pro-image", prompt="A fox in the snow", size="1536x1024")
Path("fox.png").write_bytes(base64.b64decode(made.data[0].b64_json))
print(made.size, made.usage.total_tokens)
