curl --include http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"model": "gpt-9", "messages": [{"role": "user", "content": "Hello"}]}'
