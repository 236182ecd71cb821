curl http://localhost:8080/v1/embeddings \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "text-embedding-3-small", "input": ["a bird sings", "a fish swims"], "dimensions": 8}'
