from jupyter_hpc.testing.contract.test_changes import *  # noqa: F403 the same, here
