"""Operations: their latencies, and what they add up to."""
