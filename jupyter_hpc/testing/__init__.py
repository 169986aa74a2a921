"""For whoever writes a backend: the contract that every backend keeps, and a scheduler that says what a test wants.

``pytest --jupyter-hpc-target=NAME`` runs the contract on a configured target (:mod:`jupyter_hpc.testing.plugin`);
:class:`jupyter_hpc.testing.fake.FakeBackend` and its clock stand for a scheduler.
"""
