curl http://localhost:8080/v1beta/models/gpt-5.5:countTokens \
  -H "x-goog-api-key: $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"contents": [{"parts": [{"text": "How long is this?"}]}]}'
