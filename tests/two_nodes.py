"""``python two_nodes.py FOLDER [NODES]``: a small Ray cluster on this machine, for tests.

A head that offers nothing, and nodes of one core each with file caches of their own. It prints one
line of JSON when it works: ``address``, that for remote clients, and the ids of the ``nodes``.
``kill ID`` on stdin kills a node's raylet by SIGKILL, as a machine that loses power; ``add`` adds a
node and prints its id; the end of stdin ends the cluster.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

_COMMON: dict[str, Any] = {
    "object_store_memory": 100 << 20,
    "include_dashboard": False,
}
MEMORY_BYTES = 3 << 30


def main(folder: Path, wanted: int) -> None:
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Ray notes its newest cluster there, and makes the folder only for clusters without their own.
    (Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray").mkdir(parents=True, exist_ok=True)
    cluster = Cluster()
    client_port = _free_port()
    cluster.add_node(
        num_cpus=0,
        memory=0,
        temp_dir=str(folder / "ray"),
        ray_client_server_port=client_port,
        # Or else what other programs on this machine use has Ray kill our agents.
        _system_config={"memory_monitor_refresh_ms": 0},
        **_COMMON,
    )
    nodes: dict[str, Any] = {}

    def add() -> str:
        cache = folder / f"cache-{len(nodes)}"
        node = cluster.add_node(
            num_cpus=1,
            memory=MEMORY_BYTES,
            env_vars={"GATELESS_CLUSTER_CACHE": str(cache)},
            **_COMMON,
        )
        nodes[node.node_id] = node
        return str(node.node_id)

    try:
        for _ in range(wanted):
            add()
        facts = {
            "address": cluster.address,
            "remote_address": f"ray://127.0.0.1:{client_port}",
            "nodes": [*nodes],
        }
        print(json.dumps(facts), file=channel, flush=True)
        for line in sys.stdin:
            match line.split():
                case ["kill", node_id]:
                    for process in nodes[node_id].all_processes["raylet"]:
                        process.process.kill()
                        process.process.wait()  # a zombie would pass for alive with its workers
                case ["add"]:
                    print(json.dumps({"node": add()}), file=channel, flush=True)
    finally:
        cluster.shutdown()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
