curl -N http://localhost:8080/v1/messages \
  -H "x-api-key: $PORTICO_API_KEY" \
  -H "anthropic-version: 2023-06-01" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "claude-sonnet-5-5",
    "max_tokens": 32768,
    "stream": true,
    "system": [{
      "type": "text",
      "text": "You are a personal assistant running inside OpenClaw.",
      "cache_control": {"type": "ephemeral"}
    }],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Read \"notes.txt\" for me."}]}],
    "tools": [{
      "name": "read",
      "description": "Read a file.",
      "input_schema": {
        "type": "object",
        "required": ["path"],
        "properties": {"path": {"type": "string", "description": "File to read."}}
      }
    }],
    "thinking": {"type": "adaptive", "display": "summarized"},
    "output_config": {"effort": "high"}
  }'
