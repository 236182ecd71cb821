curl http://localhost:8080/v1/balance \
  -H "Authorization: Bearer $PORTICO_API_KEY"
