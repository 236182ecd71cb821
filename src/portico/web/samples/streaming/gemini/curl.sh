curl -N "http://localhost:8080/v1beta/models/claude-sonnet-5-5:streamGenerateContent?alt=sse" \
  -H "x-goog-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"contents": [{"role": "user", "parts": [{"text": "Count to three."}]}]}'
