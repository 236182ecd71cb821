import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

with client.audio.speech.with_streaming_response.create(
    model="gemini-3.8-flash-tts",
    voice="alloy",
    input="Good morning, everybody.",
    instructions="Speak softly",
) as spoken:
    spoken.stream_to_file("morning.mp3")
print(Path("morning.mp3").stat().st_size)
