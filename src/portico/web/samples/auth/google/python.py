import os

from google import genai
from google.genai.types import HttpOptions

client = genai.Client(
    api_key=os.environ["PORTICO_API_KEY"],
    http_options=HttpOptions(base_url="http://localhost:8080"),
)
answer = client.models.generate_content(model="gemini-3.8-flash", contents="Hello")
print(answer.text)
