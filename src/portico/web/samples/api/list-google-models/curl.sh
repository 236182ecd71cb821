curl "http://localhost:8080/v1beta/models?pageSize=2" -H "x-goog-api-key: $PORTICO_API_KEY"
