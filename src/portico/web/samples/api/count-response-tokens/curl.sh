curl http://localhost:8080/v1/responses/input_tokens \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "claude-sonnet-5-5", "input": "How long is this?"}'
