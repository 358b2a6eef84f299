"""One run over several generators: what each one's share is, and how they keep together."""
