import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

made = client.embeddings.create(
    model="text-embedding-3-small",
    input=["a bird sings", "a fish swims"],
    dimensions=8,
)
print(len(made.data), len(made.data[0].embedding), made.usage.total_tokens)
