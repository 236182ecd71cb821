import base64
import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

spoken = client.audio.speech.create(model="gemini-3.8-flash-tts", voice="Kore", input="The train leaves at nine.")

data = base64.b64encode(spoken.content).decode()
answer = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}},
                {"type": "text", "text": "When must I be at the station?"},
            ],
        }
    ],
)
print(answer.choices[0].message.content)
