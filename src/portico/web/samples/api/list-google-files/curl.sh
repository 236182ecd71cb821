curl "http://localhost:8080/v1beta/files?pageSize=20" -H "x-goog-api-key: $PORTICO_API_KEY"
