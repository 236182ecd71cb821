curl http://localhost:8080/v1beta/models/claude-sonnet-5-5:generateContent \
  -H "x-goog-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "contents": [{"role": "user", "parts": [{"text": "How many primes are below 30?"}]}],
    "generationConfig": {"thinkingConfig": {"thinkingLevel": "high", "includeThoughts": true}}
  }'
