from jupyter_hpc.testing.contract.test_outputs import *  # noqa: F403 the same, here
