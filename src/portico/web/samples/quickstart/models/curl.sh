curl http://localhost:8080/v1/models \
  -H "Authorization: Bearer $PORTICO_API_KEY"
