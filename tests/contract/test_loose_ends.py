from jupyter_hpc.testing.contract.test_loose_ends import *  # noqa: F403 the same, here
