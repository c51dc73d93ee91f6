"""External memory: experience kept outside the model's weights."""
