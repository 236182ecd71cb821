curl http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gpt-5.5",
    "input": "How many primes are below 30?",
    "reasoning": {"effort": "high", "summary": "auto"}
  }'
