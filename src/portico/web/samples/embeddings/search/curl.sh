curl http://localhost:8080/v1/embeddings \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-embedding-001",
    "input": "Which animal lives in water?",
    "task_type": "RETRIEVAL_QUERY",
    "dimensions": 768
  }'
