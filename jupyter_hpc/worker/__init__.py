"""What runs on the node. Standard library and cloudpickle only, Python 3.9 or newer.

The folder is shipped under the name ``jupyter_hpc_worker``, so that a node may have another (or no)
jupyter_hpc installed. Nothing here imports the rest of the package.
"""
