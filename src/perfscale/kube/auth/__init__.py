"""Who the client is: kubeconfigs, sign-in, tokens."""
