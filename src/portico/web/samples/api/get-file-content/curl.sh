printf '{"custom_id": "1"}\n' > batch.jsonl

file=$(curl -s http://localhost:8080/v1/files -H "Authorization: Bearer $PORTICO_API_KEY" \
  -F purpose=batch -F file=@batch.jsonl | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')

curl "http://localhost:8080/v1/files/$file/content" -H "Authorization: Bearer $PORTICO_API_KEY"
