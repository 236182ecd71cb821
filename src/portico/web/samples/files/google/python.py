import os
from pathlib import Path

from google import genai
from google.genai.types import HttpOptions

client = genai.Client(api_key=os.environ["PORTICO_API_KEY"], http_options=HttpOptions(base_url="http://localhost:8080"))

notes = Path("notes.txt")
notes.write_text("The meeting moves to Thursday at ten.\n")

file = client.files.upload(file=notes)
answer = client.models.generate_content(model="gemini-3.8-flash", contents=[file, "When is the meeting?"])
print(answer.text)
client.files.delete(name=file.name)
