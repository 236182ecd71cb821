curl http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-3.8-flash",
    "input": "Ada is 36 years old and lives in London.",
    "text": {
      "format": {
        "type": "json_schema",
        "name": "person",
        "schema": {
            "type": "object",
            "properties": {
              "name": {"type": "string"},
              "age": {"type": "integer"},
              "city": {"type": "string"}
            },
            "required": ["name", "age", "city"],
            "additionalProperties": false
        }
      }
    }
  }'
