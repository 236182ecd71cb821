import base64
import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(
    base_url="http://localhost:8080/v1",
    api_key=os.environ["PORTICO_API_KEY"],
    default_headers={"x-portico-image-form": "images"},
)

messages = [{"role": "user", "content": "Draw a fox in the snow."}]
first = client.chat.completions.create(
    model="gemini-3.1-flash-image",
    messages=messages,
    extra_body={"image_config": {"aspect_ratio": "16:9"}},
)
drawn = first.choices[0].message
url = drawn.images[0]["image_url"]["url"]
Path("fox.png").write_bytes(base64.b64decode(url.partition(",")[2]))

# Sent back as it came, the picture is drawn on.
messages += [drawn, {"role": "user", "content": "Now give it a red hat."}]
second = client.chat.completions.create(model="gemini-3.1-flash-image", messages=messages)
print(second.choices[0].message.content, len(second.choices[0].message.images))
