for model in gemini-3.8-flash gpt-5.5 claude-sonnet-5-5; do
  curl http://localhost:8080/v1/chat/completions \
    -H "Authorization: Bearer $PORTICO_API_KEY" \
    -H "Content-Type: application/json" \
    -d '{"model": "'$model'", "messages": [{"role": "user", "content": "Who are you?"}]}'
done
