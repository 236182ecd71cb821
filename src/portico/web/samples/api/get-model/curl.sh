curl http://localhost:8080/v1/models/gpt-5.5 -H "Authorization: Bearer $PORTICO_API_KEY"
