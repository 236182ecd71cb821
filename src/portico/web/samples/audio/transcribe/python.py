import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

# Something to listen to. Any recording of yours will do.
spoken = client.audio.speech.create(
    model="gemini-3.8-flash-tts", voice="Kore", input="The train leaves at nine.", response_format="wav"
)
spoken.write_to_file("train.wav")

with open("train.wav", "rb") as train:
    heard = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=train, language="en")
print(heard.text)
