curl http://localhost:8080/v1/key \
  -H "Authorization: Bearer $PORTICO_API_KEY"
