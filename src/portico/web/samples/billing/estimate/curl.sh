curl http://localhost:8080/v1/estimate \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "claude-sonnet-5-5",
    "max_completion_tokens": 500,
    "messages": [{"role": "user", "content": "Say hello in three languages."}]
  }'
