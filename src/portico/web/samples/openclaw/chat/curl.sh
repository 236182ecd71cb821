curl -N http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-3.8-flash",
    "messages": [
      {"role": "system", "content": "You are a personal assistant running inside OpenClaw."},
      {"role": "user", "content": "Good morning."}
    ],
    "stream": true,
    "stream_options": {"include_usage": true},
    "max_completion_tokens": 32768,
    "reasoning_effort": "medium"
  }'
