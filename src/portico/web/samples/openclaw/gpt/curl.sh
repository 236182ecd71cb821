curl -N http://localhost:8080/v1/responses \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gpt-5.5",
    "input": [
      {"type": "message", "role": "developer", "content": [
        {"type": "input_text", "text": "You are a personal assistant running inside OpenClaw."}
      ]},
      {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "Read \"notes.txt\" for me."}
      ]}
    ],
    "tools": [{
      "type": "function",
      "name": "read",
      "description": "Read a file.",
      "parameters": {
        "type": "object",
        "required": ["path"],
        "properties": {"path": {"type": "string", "description": "File to read."}}
      }
    }],
    "stream": true,
    "max_output_tokens": 32768,
    "reasoning": {"effort": "none"},
    "store": false
  }'
