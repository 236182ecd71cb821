import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

key = client.get("/key", cast_to=object)
print(f"{key['prefix']}: ${key['spendable']} to spend")
