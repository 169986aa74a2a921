from jupyter_hpc.testing.contract.test_record import *  # noqa: F403 the same, here
