curl http://localhost:8080/v1beta/models/claude-sonnet-5-5:generateContent \
  -H "x-goog-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "contents": [{"role": "user", "parts": [{"text": "Ada is 36 years old and lives in London."}]}],
    "generationConfig": {
      "responseMimeType": "application/json",
      "responseJsonSchema": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"]
      }
    }
  }'
