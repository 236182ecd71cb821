curl http://localhost:8080/v1beta/models/gemini-3.8-flash -H "x-goog-api-key: $PORTICO_API_KEY"
