import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

spoken = client.audio.speech.create(
    model="gemini-3.8-flash-tts", voice="Kore", input="Der Zug fährt um neun.", response_format="wav"
)
spoken.write_to_file("zug.wav")

with open("zug.wav", "rb") as zug:
    english = client.audio.translations.create(model="whisper-1", file=zug)
print(english.text)
