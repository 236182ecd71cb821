export ANTHROPIC_BASE_URL=http://localhost:8080
export ANTHROPIC_AUTH_TOKEN=$PORTICO_API_KEY

claude --model gemini-3.8-flash "Say hello in three languages."
