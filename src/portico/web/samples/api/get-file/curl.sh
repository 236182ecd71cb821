printf 'The meeting moves to Thursday at ten.\n' > notes.txt

file=$(curl -s http://localhost:8080/v1/files -H "Authorization: Bearer $PORTICO_API_KEY" \
  -F purpose=user_data -F file=@notes.txt | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')

curl "http://localhost:8080/v1/files/$file" -H "Authorization: Bearer $PORTICO_API_KEY"
