curl -N http://localhost:8080/v1/messages \
  -H "x-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-3.8-flash",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "Count to three."}],
    "stream": true
  }'
