import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

first = client.responses.create(model="gpt-5.5", input="My name is Ada.")
second = client.responses.create(model="claude-sonnet-5-5", previous_response_id=first.id, input="Who am I?")
print(second.output_text)

for item in client.responses.input_items.list(second.id, order="asc"):
    print(item.type)
client.responses.delete(second.id)
