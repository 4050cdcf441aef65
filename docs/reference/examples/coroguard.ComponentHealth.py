from coroguard import ComponentHealth

database = ComponentHealth(status="degraded", error="replica lags", lag_s=4.2)
assert database.status == "degraded"
assert database.model_extra == {"lag_s": 4.2}
