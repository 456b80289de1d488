"""Proofs on a Ray cluster, loaded only where one is configured.

``pip install "gateless[cluster]"`` brings Ray. The executor's process never imports it: a cluster
trusts everybody in it with running code, and that process holds keys. A *driver* process without
secrets joins the cluster (:mod:`.driver`); the two speak JSON lines (:mod:`.link`). Which node
makes which proof is decided by the executor (:mod:`.placement`, :mod:`.backend`); on each node an
*agent* keeps worker processes and files (:mod:`.agent`, :mod:`.files`).
"""
