from jupyter_hpc.testing.contract.test_metrics import *  # noqa: F403 the same, here
