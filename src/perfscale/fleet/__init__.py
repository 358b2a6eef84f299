"""Many generators, one run: who starts them, keeps them together, and merges what they publish.

``Coordinator(config, transport, generators=4, cluster=..., results=..., options=...)`` is used as a
`LoadGenerator` is: the same context manager, ``run``, ``events``, ``snapshot``, ``course`` and
``interrupt``. What runs elsewhere is ``await run_generator(inputs, end)``: see
`perfscale.fleet.transport`.
"""
