curl http://localhost:8080/v1/messages/count_tokens \
  -H "x-api-key: $PORTICO_API_KEY" -H "anthropic-version: 2023-06-01" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "How long is this?"}]}'

curl http://localhost:8080/v1/responses/input_tokens \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "claude-sonnet-5-5", "input": "How long is this?"}'

curl http://localhost:8080/v1beta/models/gpt-5.5:countTokens \
  -H "x-goog-api-key: $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"contents": [{"parts": [{"text": "How long is this?"}]}]}'
