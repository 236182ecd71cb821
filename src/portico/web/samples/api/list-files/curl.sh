curl "http://localhost:8080/v1/files?limit=20" -H "Authorization: Bearer $PORTICO_API_KEY"
