"""Jobs beside accidents, by seeds: whatever is killed, stopped, filled or cut off, each job ends as it should.

A *trial* (`plans`) is some cells (`cells`), submitted by a client of its own (`client`), and some accidents (`accidents`)
that befall the cluster, the jobs or the client meanwhile, on one of the clusters (`worlds`). When all is well again a *new* process
(`look`) says what is not as it should be: a job without a true end, a value that isn't the cell's, a cell that ran twice,
something left behind, two processes that say different things. ``python -m tests.campaign --trials 1000``.
"""
