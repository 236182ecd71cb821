import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

balance = client.get("/balance", cast_to=object)
print(f"${balance['available']} left, ${balance['held']} held by open calls")
