# Something to listen to. Any recording of yours will do.
curl -s http://localhost:8080/v1/audio/speech \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{"model": "gemini-3.8-flash-tts", "voice": "Kore", "input": "The train leaves at nine.", "response_format": "wav"}' \
  -o train.wav

curl http://localhost:8080/v1/audio/transcriptions \
  -H "Authorization: Bearer $PORTICO_API_KEY" \
  -F model=gpt-4o-transcribe -F file=@train.wav -F language=en
