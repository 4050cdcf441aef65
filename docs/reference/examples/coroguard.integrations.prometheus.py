from prometheus_client import CollectorRegistry, generate_latest

from coroguard.integrations import prometheus

registry = CollectorRegistry()
uninstall = prometheus.install(registry)
assert b"coroguard_leaks_total" in generate_latest(registry)
uninstall()
