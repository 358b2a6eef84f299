"""What a workload asks for, before anything is created: objects, targets, and what comes twice."""
