curl -s http://localhost:8080/v1/audio/speech \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3.8-flash-tts", "voice": "Kore", "input": "The train leaves at nine."}' -o train.mp3

curl http://localhost:8080/v1/chat/completions \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d @- <<JSON
{
  "model": "gemini-3.8-flash",
  "messages": [{
    "role": "user",
    "content": [
      {"type": "input_audio", "input_audio": {"format": "mp3", "data": "$(base64 < train.mp3 | tr -d '\n')"}},
      {"type": "text", "text": "When must I be at the station?"}
    ]
  }]
}
JSON
