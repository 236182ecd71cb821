curl http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d @- <<'JSON'
{
  "model": "claude-sonnet-5-5",
  "input": [{
    "role": "user",
    "content": [
      {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC"},
      {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mOQszlBU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULAIAZiD0OxRC8AAAAAElFTkSuQmCC"},
      {"type": "input_text", "text": "How do these two differ?"}
    ]
  }]
}
JSON
