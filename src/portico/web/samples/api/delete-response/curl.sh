id=$(curl -s http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gpt-5.5", "input": "Hello"}' | grep -o '"id":"resp_[^"]*"' | cut -d'"' -f4)

curl -X DELETE "http://localhost:8080/v1/responses/$id" -H "Authorization: Bearer $PORTICO_API_KEY"
