first=$(curl -s http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gpt-5.5", "input": "My name is Ada."}' | grep -o '"id":"resp_[^"]*"' | cut -d'"' -f4)

curl http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "claude-sonnet-5-5", "previous_response_id": "'"$first"'", "input": "Who am I?"}'
