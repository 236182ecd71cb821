curl http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3.8-flash", "input": "Hello"}'
