"""Live migrations: their queue, their steps, and what they change about instances."""
