from jupyter_hpc.testing.contract.test_names import *  # noqa: F403 the same, here
