key="order-$(date +%s)-$RANDOM"

for attempt in 1 2; do
  curl --silent --include http://localhost:8080/v1/chat/completions \
    -H "Authorization: Bearer $PORTICO_API_KEY" \
    -H "Content-Type: application/json" \
    -H "Idempotency-Key: $key" \
    -d '{"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hello"}]}'
done
