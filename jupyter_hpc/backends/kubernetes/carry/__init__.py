"""How a run directory gets into a pod and back."""
