from jupyter_hpc.testing.contract.test_values import *  # noqa: F403 the same, here
