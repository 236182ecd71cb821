curl http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gpt-5.5",
    "input": "What is the latest news about Python?",
    "tools": [{"type": "web_search"}]
  }'
