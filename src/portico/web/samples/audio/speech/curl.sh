curl http://localhost:8080/v1/audio/speech \
  -H "Authorization: Bearer $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -d '{
    "model": "gemini-3.8-flash-tts",
    "voice": "alloy",
    "input": "Good morning, everybody.",
    "instructions": "Speak softly"
  }' -o morning.mp3

ls -l morning.mp3
