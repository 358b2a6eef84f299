"""The fields and sections that the workload file is made of."""
