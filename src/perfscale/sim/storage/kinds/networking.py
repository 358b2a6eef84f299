"""Kinds of Kubernetes' that are stored and served, and that nothing here acts upon."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import AGE, Column, Kind

_NETWORKING: Final = "networking.k8s.io"

NETWORKING: Final = (
    Kind(
        _NETWORKING,
        ("v1",),
        "networkpolicies",
        "NetworkPolicy",
        short_names=("netpol",),
        columns=(Column("Pod-Selector", ".spec.podSelector"), AGE),
        generation=True,
    ),
    Kind(
        _NETWORKING,
        ("v1",),
        "ingresses",
        "Ingress",
        short_names=("ing",),
        columns=(Column("Class", ".spec.ingressClassName"), AGE),
        status=True,
        generation=True,
    ),
    Kind(_NETWORKING, ("v1",), "ingressclasses", "IngressClass", namespaced=False),
    Kind(
        "policy",
        ("v1",),
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        short_names=("pdb",),
        status=True,
        generation=True,
    ),
    Kind(
        "autoscaling",
        ("v2", "v1"),
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short_names=("hpa",),
        status=True,
    ),
    Kind("batch", ("v1",), "cronjobs", "CronJob", short_names=("cj",), status=True),
    Kind("coordination.k8s.io", ("v1",), "leases", "Lease"),
    Kind("discovery.k8s.io", ("v1",), "endpointslices", "EndpointSlice"),
    Kind("scheduling.k8s.io", ("v1",), "priorityclasses", "PriorityClass", namespaced=False),
)
