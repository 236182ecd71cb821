curl http://localhost:8080/v1beta/models/text-embedding-3-small:embedContent \
  -H "x-goog-api-key: $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"content": {"parts": [{"text": "a bird sings"}]}, "outputDimensionality": 8}'
