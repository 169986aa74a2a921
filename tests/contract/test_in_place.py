from jupyter_hpc.testing.contract.test_in_place import *  # noqa: F403 the same, here
