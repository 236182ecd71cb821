curl http://localhost:8080/v1/messages \
  -H "x-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-2.5-flash",
    "max_tokens": 16000,
    "thinking": {"type": "enabled", "budget_tokens": 8000},
    "messages": [{"role": "user", "content": "How many primes are below 30?"}]
  }'
