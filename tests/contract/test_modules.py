from jupyter_hpc.testing.contract.test_modules import *  # noqa: F403 the same, here
