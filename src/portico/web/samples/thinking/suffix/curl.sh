curl http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "claude-sonnet-5-5-nothinking",
    "messages": [{"role": "user", "content": "How many primes are below 30?"}]
  }'
