curl http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -H "x-portico-image-form: images" \
  -d '{
    "model": "gemini-3.1-flash-image",
    "messages": [{"role": "user", "content": "Draw a fox in the snow."}],
    "image_config": {"aspect_ratio": "16:9"}
  }'
