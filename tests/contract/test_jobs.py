from jupyter_hpc.testing.contract.test_jobs import *  # noqa: F403 the same, here
