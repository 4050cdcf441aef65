import socket

from coroguard.gates.faults import FaultProxy, Latency

with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    with FaultProxy("127.0.0.1", port) as proxy:
        proxy.add(Latency(latency_ms=200))
        address = proxy.url(f"redis://127.0.0.1:{port}/0")
        assert str(proxy.port) in address
