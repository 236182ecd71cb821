curl http://localhost:8080/v1/messages/count_tokens \
  -H "x-api-key: $PORTICO_API_KEY" -H "anthropic-version: 2023-06-01" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "How long is this?"}]}'
