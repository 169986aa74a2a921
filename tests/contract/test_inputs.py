from jupyter_hpc.testing.contract.test_inputs import *  # noqa: F403 the same, here
