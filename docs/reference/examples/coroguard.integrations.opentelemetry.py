from coroguard.integrations import opentelemetry

uninstall = opentelemetry.install()  # uses the providers that the program has set
uninstall()
