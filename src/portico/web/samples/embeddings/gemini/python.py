import os

from google import genai
from google.genai.types import EmbedContentConfig, HttpOptions

client = genai.Client(api_key=os.environ["PORTICO_API_KEY"], http_options=HttpOptions(base_url="http://localhost:8080"))

made = client.models.embed_content(
    model="text-embedding-3-small",
    contents=["a bird sings", "a fish swims"],
    config=EmbedContentConfig(output_dimensionality=8),
)
print(len(made.embeddings), len(made.embeddings[0].values))
