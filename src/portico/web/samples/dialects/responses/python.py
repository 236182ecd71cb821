import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.responses.create(model="gemini-3.8-flash", input="Hello")
print(answer.output_text)
