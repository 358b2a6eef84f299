"""Operations: what watches show of what they are done to, and when they are done."""
