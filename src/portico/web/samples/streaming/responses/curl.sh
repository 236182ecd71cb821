curl -N http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "claude-sonnet-5-5",
    "input": "Count to three.",
    "stream": true
  }'
