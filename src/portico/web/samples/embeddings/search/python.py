import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])
texts = ["A bird sings in the tree.", "A fish swims in the lake."]


def embedded(input, task):
    made = client.embeddings.create(
        model="gemini-embedding-001", input=input, dimensions=768, extra_body={"task_type": task}
    )
    return [one.embedding for one in made.data]


documents = embedded(texts, "RETRIEVAL_DOCUMENT")
[question] = embedded("Which animal lives in water?", "RETRIEVAL_QUERY")

# The vectors have unit length, so the dot product is the cosine.
scores = [sum(a * b for a, b in zip(question, document)) for document in documents]
print(texts[scores.index(max(scores))], [round(score, 3) for score in scores])
