"""The neutral model that stands between any two dialects, and the contract a dialect keeps."""
