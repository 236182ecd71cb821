curl --silent --dump-header headers.txt --output answer.txt \
  http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "Hello"}]}'

id=$(grep -i '^x-portico-request-id:' headers.txt | tr -d '\r' | cut -d ' ' -f 2)

curl --silent --fail --retry 5 --retry-all-errors \
  "http://localhost:8080/v1/receipts/$id" \
  -H "Authorization: Bearer $PORTICO_API_KEY"
