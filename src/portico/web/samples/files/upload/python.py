import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

notes = Path("notes.txt")
notes.write_text("The meeting moves to Thursday at ten.\n")

file = client.files.create(file=notes, purpose="user_data")
answer = client.responses.create(
    model="gpt-5.5",
    input=[
        {
            "role": "user",
            "content": [
                {"type": "input_file", "file_id": file.id},
                {"type": "input_text", "text": "When is the meeting?"},
            ],
        }
    ],
)
print(answer.output_text)
print(client.files.delete(file.id).deleted)
