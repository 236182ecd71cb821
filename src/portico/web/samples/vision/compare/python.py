import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

first = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC"
second = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mOQszlBU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULAIAZiD0OxRC8AAAAAElFTkSuQmCC"
answer = client.responses.create(
    model="claude-sonnet-5-5",
    input=[
        {
            "role": "user",
            "content": [
                {"type": "input_image", "image_url": first, "detail": "auto"},
                {"type": "input_image", "image_url": second, "detail": "auto"},
                {"type": "input_text", "text": "How do these two differ?"},
            ],
        }
    ],
)
print(answer.output_text)
