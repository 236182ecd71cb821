curl "http://localhost:8080/v1/usage?by=day,model" \
  -H "Authorization: Bearer $PORTICO_API_KEY"
