curl http://localhost:8080/v1/messages \
  -H "x-api-key: $PORTICO_API_KEY" -H "anthropic-version: 2023-06-01" -H "Content-Type: application/json" \
  -d @- <<'JSON'
{
  "model": "gpt-5.5",
  "max_tokens": 1024,
  "messages": [{
    "role": "user",
    "content": [
      {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC"}},
      {"type": "text", "text": "What colour is this square?"}
    ]
  }]
}
JSON
