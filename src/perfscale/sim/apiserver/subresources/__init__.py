"""What virt-api serves beside the objects of KubeVirt: calls that start a VM, or pause one."""

from perfscale.sim.apiserver.subresources.serving import VirtApi, no_such_page

__all__ = ["VirtApi", "no_such_page"]
