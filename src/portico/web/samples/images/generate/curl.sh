curl -s http://localhost:8080/v1/images/generations \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3-pro-image", "prompt": "A fox in the snow", "size": "1536x1024"}' > fox.json

sed 's/.*"b64_json":"\([^"]*\)".*/\1/' fox.json | base64 -d > fox.png
ls -l fox.png
