from coroguard.alerts import install

# Where the program starts; the URL may also come from COROGUARD_ALERT_URL.
alerts = install(url="http://127.0.0.1:9/hook", service="chat")
alerts.close()
