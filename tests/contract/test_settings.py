from jupyter_hpc.testing.contract.test_settings import *  # noqa: F403 the same, here
