curl http://localhost:8080/v1/messages \
  -H "x-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-3.8-flash",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "What is the weather in Paris and Tokyo?"}],
    "tools": [{
      "name": "get_weather",
      "description": "The weather of a city, now.",
      "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"]
      }
    }]
  }'
