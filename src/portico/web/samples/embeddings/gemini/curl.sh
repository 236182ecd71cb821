curl http://localhost:8080/v1beta/models/text-embedding-3-small:batchEmbedContents \
  -H "x-goog-api-key: $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{
    "requests": [
      {"model": "models/text-embedding-3-small", "content": {"parts": [{"text": "a bird sings"}]}, "outputDimensionality": 8},
      {"model": "models/text-embedding-3-small", "content": {"parts": [{"text": "a fish swims"}]}, "outputDimensionality": 8}
    ]
  }'
