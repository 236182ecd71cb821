# A picture to begin with.
curl -s http://localhost:8080/v1/images/generations \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3-pro-image", "prompt": "A fox in the snow"}' |
  sed 's/.*"b64_json":"\([^"]*\)".*/\1/' | base64 -d > fox.png

curl http://localhost:8080/v1/images/edits \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -F model=gemini-3-pro-image -F prompt="Give it a red hat" -F "image[]=@fox.png"
