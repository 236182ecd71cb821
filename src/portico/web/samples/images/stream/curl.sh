curl -N http://localhost:8080/v1/images/generations \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3-pro-image", "prompt": "A fox in the snow", "n": 2, "stream": true}'
