import base64
import os
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

Path("sales.csv").write_text("month,sales\nJanuary,120\nFebruary,180\n")

data = base64.b64encode(Path("sales.csv").read_bytes()).decode()
answer = client.chat.completions.create(
    model="claude-sonnet-5-5",
    max_completion_tokens=1024,
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "file", "file": {"filename": "sales.csv", "file_data": f"data:text/csv;base64,{data}"}},
                {"type": "text", "text": "Which month was better?"},
            ],
        }
    ],
)
print(answer.choices[0].message.content)
