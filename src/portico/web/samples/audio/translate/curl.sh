curl -s http://localhost:8080/v1/audio/speech \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3.8-flash-tts", "voice": "Kore", "input": "Der Zug fährt um neun.", "response_format": "wav"}' \
  -o zug.wav

curl http://localhost:8080/v1/audio/translations \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -F model=whisper-1 -F file=@zug.wav
