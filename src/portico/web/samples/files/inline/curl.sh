printf 'month,sales\nJanuary,120\nFebruary,180\n' > sales.csv

curl http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d @- <<JSON
{
  "model": "claude-sonnet-5-5",
  "max_completion_tokens": 1024,
  "messages": [{
    "role": "user",
    "content": [
      {"type": "file", "file": {
        "filename": "sales.csv",
        "file_data": "data:text/csv;base64,$(base64 < sales.csv | tr -d '\n')"
      }},
      {"type": "text", "text": "Which month was better?"}
    ]
  }]
}
JSON
