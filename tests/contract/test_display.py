from jupyter_hpc.testing.contract.test_display import *  # noqa: F403 the same, here
