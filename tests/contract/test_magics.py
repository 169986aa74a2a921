from jupyter_hpc.testing.contract.test_magics import *  # noqa: F403 the same, here
