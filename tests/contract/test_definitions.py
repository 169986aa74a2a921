from jupyter_hpc.testing.contract.test_definitions import *  # noqa: F403 the same, here
