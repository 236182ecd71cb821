"""OpenAI as an upstream: Chat Completions, Responses, embeddings, models; at OpenAI or at Azure."""
