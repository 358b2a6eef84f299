"""What is Dask's: workers that are there or started, and a generator on each of them."""
