curl -N "http://localhost:8080/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse" \
  -H "x-goog-api-key: $PORTICO_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "systemInstruction": {"parts": [{"text": "You are a personal assistant running inside OpenClaw."}]},
    "contents": [{"role": "user", "parts": [{"text": "Read \"notes.txt\" for me."}]}],
    "generationConfig": {"thinkingConfig": {"includeThoughts": true, "thinkingLevel": "MEDIUM"}},
    "tools": [{"functionDeclarations": [{
      "name": "read",
      "description": "Read a file.",
      "parametersJsonSchema": {
        "type": "object",
        "required": ["path"],
        "properties": {"path": {"type": "string", "description": "File to read."}}
      }
    }]}]
  }'
