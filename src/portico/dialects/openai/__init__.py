"""What OpenAI's dialects have in common: the shape of an error, and of a token's logprob."""
