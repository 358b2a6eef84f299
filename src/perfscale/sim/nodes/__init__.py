"""What happens on the nodes of the simulated cluster: the pods of VMIs, and virt-handler.

Controllers work against any API server. What is here works on the simulated cluster's store
alone: nobody else can give a pod a node, or pause a guest that is not there.
"""
