from jupyter_hpc.testing.contract.test_exceptions import *  # noqa: F403 the same, here
