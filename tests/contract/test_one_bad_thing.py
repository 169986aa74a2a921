from jupyter_hpc.testing.contract.test_one_bad_thing import *  # noqa: F403 the same, here
